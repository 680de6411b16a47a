import FoundationEssentials
import Postgres
import SQL

/// A run that the queue refuses: the fire fails, and the schedule goes on.
struct RefusedRun: Error {
    var reason: String
}

extension ScheduleTransaction {
    /// Records and submits what a step asks for.
    ///
    /// - Parameter refusal: Why the run can't be stored, from a transaction before this one.
    /// - Throws: `RefusedRun` when it can't be stored; then nothing else of this transaction may be committed.
    func perform(
        _ step: ScheduleMachine.Step, _ row: ScheduleRow, refusal: String?, _ build: ScheduledRunBuilder
    ) async throws -> [ScheduleFire] {
        var fires: [ScheduleFire] = []
        for skip in step.skips {
            if let fire = try await record(row, skip) { fires.append(fire) }
        }
        if let fire = step.fire, let fired = try await perform(fire, row, refusal: refusal, build) {
            fires.append(fired)
        }
        return fires
    }

    private func perform(
        _ fire: ScheduleMachine.Step.Fire, _ row: ScheduleRow, refusal: String?, _ build: ScheduledRunBuilder
    ) async throws -> ScheduleFire? {
        let (attempt, existing) = try await next(row, fire.dueAt)
        // Backfilled before the clock came to it.
        guard existing == nil else { return nil }
        let submission: RunSubmission
        do {
            if let refusal { throw RefusedRun(reason: refusal) }
            submission = try await self.submission(row, id: row.key.run(dueAt: fire.dueAt, attempt: attempt), build)
        } catch let error as RefusedRun {
            return try await insert(
                row, fire.dueAt, attempt, fire.kind, .failed, reason: error.reason.storable(limit: 1990), run: nil)
        }
        for other in fire.cancelling {
            try await run(.cancelScheduleRun, [row.id, other.text])
        }
        try await store(submission, of: row)
        let fired = try await insert(
            row, fire.dueAt, attempt, fire.kind, .fired, reason: fire.reason, run: submission.id)
        guard let fired else {
            throw QueueError(.internalFailure, "the due time \(fire.dueAt) of schedule '\(row.name)' was fired before")
        }
        return fired
    }

    /// The run to submit, from the template and the models as they are registered now.
    private func submission(
        _ row: ScheduleRow, id: RunID, _ build: ScheduledRunBuilder
    ) async throws -> RunSubmission {
        let json = try await run(.scheduleTemplate, [row.name]).only().decode("template", as: String.self)
        do {
            let template: RunTemplate
            do {
                template = try RunTemplate(json: json)
            } catch {
                throw UnreadableTemplate(error.message)
            }
            var models: [String: ModelRecord] = [:]
            for name in template.modelNames {
                models[name] = try ModelRecord.all(in: try await run(.listModels, [name])).first
            }
            var submission: RunSubmission
            do {
                submission = try build(template.submission(id: id), models)
            } catch let error as UnreadableTemplate {
                throw error
            } catch {
                throw RefusedRun(reason: "\(error)")
            }
            submission.id = id
            try submission.validate()
            return submission
        } catch let error as UnreadableTemplate {
            throw QueueError.notFiredFromHere(row.name, .invalid, error.message)
        } catch let error as QueueError {
            throw RefusedRun(reason: error.message)
        }
    }

    private func store(_ submission: RunSubmission, of row: ScheduleRow) async throws {
        do {
            let stored = try StoredSubmission(submission)
            let rows = try await run(
                .submitScheduleRun, [row.id, submission.id.text, submission.name] + stored.columns)
            try SubmissionOutcome(rows).check(submission)
        } catch let error as QueueError where !error.isTransient {
            throw RefusedRun(reason: error.message)
        } catch let error as PostgresError where ["22", "23", "EW"].contains(error.sqlState?.prefix(2)) {
            throw RefusedRun(reason: "the database refused the run: \(error.message)")
        }
    }
}
