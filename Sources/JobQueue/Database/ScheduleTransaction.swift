import FoundationEssentials
import Postgres
import SQL

/// What is done to schedules within one transaction; every row is locked before it is changed.
struct ScheduleTransaction: Sendable {
    let connection: PostgresConnection

    @discardableResult
    func run(_ query: Query, _ parameters: [(any PostgresEncodable)?]) async throws -> PostgresRows {
        try await connection.query(PostgresStatement(query), parameters)
    }

    /// Waits for any other transaction that holds the schedule.
    func lock(_ name: String) async throws -> ScheduleRow {
        guard let row = try await run(.lockSchedule, [name]).atMostOne() else {
            throw QueueError(.notFound, "schedule '\(name)' was removed a moment ago")
        }
        return try ScheduleRow(row)
    }

    /// Nil when somebody else is at it, or was.
    func lockIfDue(_ id: Int64) async throws -> ScheduleRow? {
        guard let row = try await run(.lockDueSchedule, [id]).atMostOne() else { return nil }
        return try ScheduleRow(row)
    }

    /// False when the name is taken.
    func insert(_ definition: ScheduleDefinition, json: String) async throws -> Bool {
        try await run(.addSchedule, [definition.name] + definition.columns(json)).only()
            .decode("schedule_id", as: Int64?.self) != nil
    }

    func replace(_ row: ScheduleRow, _ definition: ScheduleDefinition, json: String) async throws {
        // What nobody has looked at is decided by the old timing, if it can still be read here.
        if var machine = try? row.machine() {
            for skip in machine.skipRipe(now: row.now, reason: "the schedule was replaced before anybody looked") {
                _ = try await record(row, skip)
            }
        }
        try await run(.replaceSchedule, [row.id] + definition.columns(json))
    }

    /// True when the name stands for something else than `definition`.
    func isOther(_ definition: ScheduleDefinition, json: String, _ row: ScheduleRow) async throws -> Bool {
        let stored = try await run(.scheduleTemplate, [row.name]).only().decode("template", as: String.self)
        let template = try? RunTemplate(json: stored)
        let timing = try? row.machine().timing
        return timing != definition.timing || template?.isSame(as: definition.template) != true
    }

    func advance(_ row: ScheduleRow, _ machine: ScheduleMachine) async throws {
        let parameters: [(any PostgresEncodable)?] = [
            row.id, machine.nextAt.map { PostgresTimestamp($0) }, PostgresTimestamp(machine.lookAt(now: row.now)),
            machine.waiting.map { PostgresTimestamp($0.dueAt) }, machine.waiting?.kind.rawValue,
        ]
        try await run(.advanceSchedule, parameters)
    }

    /// The runs of a schedule that have not ended.
    func openRuns(_ row: ScheduleRow) async throws -> [RunID] {
        var runs: [RunID] = []
        for run in try await run(.openScheduleRuns, [row.id]) {
            runs.append(RunID(unchecked: try run.decode("run_id")))
        }
        return runs
    }

    /// Writes down a due time that is not fired; nil when it has a run already, by a backfill.
    func record(_ row: ScheduleRow, _ skip: ScheduleMachine.Step.Skip) async throws -> ScheduleFire? {
        let (attempt, run) = try await next(row, skip.dueAt)
        guard run == nil else { return nil }
        return try await insert(
            row, skip.dueAt, attempt, skip.kind, .skipped, reason: skip.reason, run: nil)
    }

    /// The number of the next record for a due time, and the run that it has.
    func next(_ row: ScheduleRow, _ dueAt: Date) async throws -> (attempt: Int, run: RunID?) {
        let found = try await run(.nextScheduleFire, [row.id, PostgresTimestamp(dueAt)]).only()
        let run = try found.decode("run_id", as: String?.self)
        return (try found.decode("attempt"), run.map { RunID(unchecked: $0) })
    }

    /// Nil when the clock has decided about this due time before.
    func insert(
        _ row: ScheduleRow, _ dueAt: Date, _ attempt: Int, _ kind: ScheduleFire.Kind,
        _ outcome: ScheduleFire.Outcome, reason: String?, run: RunID?
    ) async throws -> ScheduleFire? {
        let parameters: [(any PostgresEncodable)?] = [
            row.id, PostgresTimestamp(dueAt), attempt, kind.rawValue, outcome.rawValue, reason, run?.text,
        ]
        let recorded = try await self.run(.recordScheduleFire, parameters).only().optionalDate("recorded_at")
        guard let recorded else { return nil }
        return ScheduleFire(
            schedule: row.name, dueAt: dueAt, attempt: attempt, kind: kind, outcome: outcome, reason: reason,
            run: run, recordedAt: recorded)
    }
}

extension ScheduleDefinition {
    fileprivate func columns(_ json: String) -> [(any PostgresEncodable)?] {
        [
            timing.cron.text, timing.timeZone, timing.overlap.rawValue, timing.catchUp, timing.jitter,
            template.project, template.user, json,
        ]
    }
}
