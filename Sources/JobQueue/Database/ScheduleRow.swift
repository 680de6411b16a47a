import FoundationEssentials
import Postgres

/// A schedule's row, locked by the transaction that reads it.
struct ScheduleRow: Sendable {
    let id: Int64
    let name: String
    let key: ScheduleKey
    /// The database's clock.
    let now: Date
    private let timing: TimingColumns
    let nextAt: Date?
    let waiting: ScheduleMachine.Waiting?
    let pause: ScheduleRecord.Pause?

    init(_ row: PostgresRow) throws(PostgresError) {
        id = try row.decode("schedule_id")
        name = try row.decode("name")
        key = ScheduleKey(uuid: try row.decode("key"))
        now = try row.date("now")
        timing = try TimingColumns(row)
        nextAt = try row.optionalDate("next_at")
        if let dueAt = try row.optionalDate("waiting_at") {
            waiting = ScheduleMachine.Waiting(dueAt: dueAt, kind: try row.name("waiting_kind"))
        } else {
            waiting = nil
        }
        pause = try ScheduleRecord.Pause(row)
    }

    /// - Throws: `invalid` when this machine does not know the zone, or this program not the expression.
    func machine() throws(QueueError) -> ScheduleMachine {
        let timing = try timing.value()
        var machine = ScheduleMachine(
            timing: timing, zone: try ZoneRules(named: timing.timeZone), key: key, startingAt: now)
        machine.nextAt = nextAt
        machine.waiting = waiting
        machine.pauseReason = pause.map { $0.reason ?? "by \($0.user)" }
        return machine
    }
}

/// A timing as it is stored.
struct TimingColumns: Sendable {
    private let cron: String
    private let timeZone: String
    private let overlap: OverlapPolicy
    private let catchUp: Int
    private let jitter: Int

    init(_ row: PostgresRow) throws(PostgresError) {
        cron = try row.decode("cron")
        timeZone = try row.decode("time_zone")
        overlap = try row.name("overlap")
        catchUp = try row.decode("catch_up_seconds")
        jitter = try row.decode("jitter_seconds")
    }

    func value() throws(QueueError) -> ScheduleTiming {
        ScheduleTiming(
            cron: try CronExpression(cron), timeZone: timeZone, overlap: overlap, catchUp: catchUp, jitter: jitter)
    }
}

extension ScheduleRecord.Pause {
    init?(_ row: PostgresRow) throws(PostgresError) {
        guard let at = try row.optionalDate("paused_at") else { return nil }
        self.init(at: at, user: try row.decode("paused_by"), reason: try row.decode("pause_reason"))
    }
}

extension ScheduleFire {
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            schedule: try row.decode("name"), dueAt: try row.date("due_at"), attempt: try row.decode("attempt"),
            kind: try row.name("kind"), outcome: try row.name("outcome"), reason: try row.decode("reason"),
            run: try row.decode("run_id", as: String?.self).map { RunID(unchecked: $0) },
            recordedAt: try row.date("recorded_at"))
    }
}
