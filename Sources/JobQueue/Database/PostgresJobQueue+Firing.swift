public import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    /// Due schedules that one call looks at; what is left is due at the next one.
    private static let roundLimit = 100
    /// Steps of one schedule in one call.
    private static let stepLimit = 50

    public func fireDueSchedules(_ build: ScheduledRunBuilder) async throws(QueueError) -> ScheduleRound {
        let ids = try await query(.dueSchedules, [Self.roundLimit], to: "look for due schedules") {
            rows throws(PostgresError) in
            var ids: [Int64] = []
            for row in rows {
                ids.append(try row.decode("schedule_id"))
            }
            return ids
        }
        var round = ScheduleRound()
        for id in ids {
            do {
                for _ in 0..<Self.stepLimit {
                    guard let fires = try await step(id, build) else { break }
                    round.fires += fires
                }
            } catch  where error.code == .cancelled {
                throw error
            } catch {
                round.problems.append(error.message)
            }
        }
        return round
    }

    /// Locks, looks, fires and moves on, in one transaction; nil when there was nothing to do.
    private func step(_ id: Int64, _ build: ScheduledRunBuilder) async throws(QueueError) -> [ScheduleFire]? {
        try await firing("fire schedule number \(id)") { transaction, refusal -> [ScheduleFire]? in
            guard let row = try await transaction.lockIfDue(id) else { return nil }
            var machine: ScheduleMachine
            do throws(QueueError) {
                machine = try row.machine()
            } catch {
                throw QueueError.notFiredFromHere(row.name, error.code, error.message)
            }
            let step = machine.step(now: row.now, open: try await transaction.openRuns(row))
            let fires = try await transaction.perform(step, row, refusal: refusal, build)
            try await transaction.advance(row, machine)
            return fires
        }
    }

    public func triggerSchedule(
        named name: String, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) async throws(QueueError) -> ScheduleFire {
        _ = try await schedule(named: name)
        return try await firing("trigger schedule '\(name)'") { transaction, refusal in
            let row = try await transaction.lock(name)
            return try await transaction.ask(row, row.now, .trigger, overlap, refusal: refusal, build)
        }
    }

    public func backfillSchedule(
        named name: String, dueAt: Date, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) async throws(QueueError) -> ScheduleFire {
        _ = try await schedule(named: name)
        return try await firing("backfill schedule '\(name)'") { transaction, refusal in
            let row = try await transaction.lock(name)
            try row.machine().checkBackfill(of: dueAt, now: row.now)
            if let fired = try await transaction.fired(row, dueAt) { return fired }
            return try await transaction.ask(row, dueAt, .backfill, overlap, refusal: refusal, build)
        }
    }

    /// Runs a transaction, and once more when the run that it submits is refused, to record that.
    private func firing<Value>(
        _ task: String, _ body: (ScheduleTransaction, _ refusal: String?) async throws -> Value
    ) async throws(QueueError) -> Value {
        do {
            do {
                return try await pool.withTransaction { try await body(ScheduleTransaction(connection: $0), nil) }
            } catch let refused as RefusedRun {
                return try await pool.withTransaction {
                    try await body(ScheduleTransaction(connection: $0), refused.reason)
                }
            }
        } catch {
            throw QueueError(error, task: task)
        }
    }

    func scheduleTransaction(
        _ task: String, _ body: (ScheduleTransaction) async throws -> Void
    ) async throws(QueueError) {
        do {
            try await pool.withTransaction { try await body(ScheduleTransaction(connection: $0)) }
        } catch {
            throw QueueError(error, task: task)
        }
    }
}

extension ScheduleTransaction {
    /// Decides about a time that a person asks for, and does it.
    fileprivate func ask(
        _ row: ScheduleRow, _ dueAt: Date, _ kind: ScheduleFire.Kind, _ overlap: OverlapPolicy?, refusal: String?,
        _ build: ScheduledRunBuilder
    ) async throws -> ScheduleFire {
        var machine = try row.machine()
        let step = machine.decide(
            dueAt, kind, overlap ?? machine.timing.overlap, open: try await openRuns(row))
        let fires = try await perform(step, row, refusal: refusal, build)
        try await advance(row, machine)
        return fires.last ?? ScheduleFire(waiting: dueAt, kind: kind, schedule: row.name)
    }

    /// What has become of a due time already: a run, or that it waits.
    fileprivate func fired(_ row: ScheduleRow, _ dueAt: Date) async throws -> ScheduleFire? {
        if let waiting = row.waiting, waiting.dueAt == dueAt {
            return ScheduleFire(waiting: dueAt, kind: waiting.kind, schedule: row.name)
        }
        let time = PostgresTimestamp(dueAt)
        for record in try await run(.listScheduleFires, [row.name, time, time, 1000]) {
            let fire = try ScheduleFire(record)
            if fire.outcome == .fired { return fire }
        }
        return nil
    }
}
