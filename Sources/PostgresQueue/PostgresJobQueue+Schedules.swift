internal import Calendar
public import FoundationEssentials
public import JobQueue
import Postgres
import SQL

extension PostgresJobQueue {
    @discardableResult
    public func addSchedule(
        _ definition: ScheduleDefinition, replacing: Bool
    ) async throws(QueueError) -> ScheduleRecord {
        try definition.validate(now: Date())
        let json = try definition.template.json()
        try await scheduleTransaction("add schedule '\(definition.name)'") { transaction in
            let isNew = try await transaction.insert(definition, json: json)
            let row = try await transaction.lock(definition.name)
            if !isNew {
                guard try await transaction.isOther(definition, json: json, row) else { return }
                guard replacing else { throw QueueError.scheduleConflict(definition.name) }
                try await transaction.replace(row, definition, json: json)
            }
            var machine = ScheduleMachine(
                timing: definition.timing,
                zone: try QueueError.ofCalendar { () throws(CalendarError) in
                    try ZoneRules(named: definition.timing.timeZone)
                }, key: row.key,
                startingAt: row.now)
            machine.waiting = row.waiting
            try await transaction.advance(row, machine)
        }
        return try await schedule(named: definition.name)
    }

    public func schedules() async throws(QueueError) -> [ScheduleRecord] {
        try await readSchedules(named: nil)
    }

    public func schedule(named name: String) async throws(QueueError) -> ScheduleRecord {
        try QueueError.check(name, "the schedule's name", 1...200)
        guard let schedule = try await readSchedules(named: name).first else {
            throw QueueError.scheduleNotFound(name, existing: try await schedules().map(\.name))
        }
        return schedule
    }

    public func template(ofSchedule name: String) async throws(QueueError) -> RunTemplate {
        try QueueError.check(name, "the schedule's name", 1...200)
        let json = try await query(.scheduleTemplate, [name], to: "read what schedule '\(name)' submits") {
            rows throws(PostgresError) in
            try rows.atMostOne()?.decode("template", as: String.self)
        }
        guard let json else {
            throw QueueError.scheduleNotFound(name, existing: try await schedules().map(\.name))
        }
        return try RunTemplate(json: json)
    }

    @discardableResult
    public func pauseSchedule(
        named name: String, user: String, reason: String?
    ) async throws(QueueError) -> ScheduleRecord {
        try QueueError.check(user, "the user's name", 1...200)
        if let reason { try QueueError.check(reason, "the reason", 1...1000) }
        _ = try await schedule(named: name)
        try await scheduleTransaction("pause schedule '\(name)'") { transaction in
            let row = try await transaction.lock(name)
            try await transaction.run(.pauseSchedule, [row.id, user, reason])
        }
        return try await schedule(named: name)
    }

    @discardableResult
    public func resumeSchedule(named name: String) async throws(QueueError) -> ScheduleRecord {
        _ = try await schedule(named: name)
        try await scheduleTransaction("resume schedule '\(name)'") { transaction in
            let row = try await transaction.lock(name)
            var machine = try row.machine()
            guard let reason = machine.pauseReason else { return }
            for skip in machine.skipRipe(now: row.now, reason: "the schedule was paused: \(reason)") {
                _ = try await transaction.record(row, skip)
            }
            try await transaction.run(.resumeSchedule, [row.id])
            try await transaction.advance(row, machine)
        }
        return try await schedule(named: name)
    }

    public func removeSchedule(named name: String) async throws(QueueError) {
        try QueueError.check(name, "the schedule's name", 1...200)
        let found = try await query(.removeSchedule, [name], to: "remove schedule '\(name)'") {
            rows throws(PostgresError) in try rows.only().decode("schedule_id", as: Int64?.self) != nil
        }
        guard found else {
            throw QueueError.scheduleNotFound(name, existing: try await schedules().map(\.name))
        }
    }

    public func fires(
        ofSchedule name: String, from: Date, through: Date, limit: Int
    ) async throws(QueueError) -> [ScheduleFire] {
        let schedule = try await schedule(named: name)
        let limit = min(max(0, limit), storableCount.upperBound)
        let parameters: [(any PostgresEncodable)?] = [
            name, PostgresTimestamp(from), PostgresTimestamp(through), limit,
        ]
        var fires = try await query(.listScheduleFires, parameters, to: "read the history of schedule '\(name)'") {
            rows throws(PostgresError) in
            var fires: [ScheduleFire] = []
            for row in rows {
                fires.append(try ScheduleFire(row))
            }
            return fires
        }
        if let waiting = schedule.waitingFire, waiting.dueAt >= from, waiting.dueAt <= through {
            fires.insert(waiting, at: 0)
        }
        return Array(fires.prefix(limit))
    }

    /// - Returns: Only the one of this name; nil for all.
    private func readSchedules(named name: String?) async throws(QueueError) -> [ScheduleRecord] {
        var records: [ScheduleRecord] = []
        let rows = try await query(.listSchedules, [name], to: "list the schedules") { rows throws(PostgresError) in
            var found: [(PostgresRow, TimingColumns)] = []
            for row in rows {
                found.append((row, try TimingColumns(row)))
            }
            return found
        }
        for (row, timing) in rows {
            let timing = try timing.value()
            do {
                records.append(try ScheduleRecord(row, timing))
            } catch {
                throw QueueError(error, task: "list the schedules")
            }
        }
        return records
    }
}

extension ScheduleRecord {
    fileprivate init(_ row: PostgresRow, _ timing: ScheduleTiming) throws(PostgresError) {
        let isFired = try row.optionalDate("due_at") != nil
        var waiting: ScheduleFire?
        if let dueAt = try row.optionalDate("waiting_at") {
            waiting = ScheduleFire(
                waiting: dueAt, kind: try row.name("waiting_kind"), schedule: try row.decode("name"))
        }
        self.init(
            name: try row.decode("name"), timing: timing, project: try row.decode("project"),
            user: try row.decode("user_name"), createdAt: try row.date("created_at"),
            updatedAt: try row.date("updated_at"), nextAt: try row.optionalDate("next_at"), waitingFire: waiting,
            pause: try Pause(row), lastFire: isFired ? try ScheduleFire(row) : nil)
    }
}

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
            timing: timing,
            zone: try QueueError.ofCalendar { () throws(CalendarError) in try ZoneRules(named: timing.timeZone) },
            key: key, startingAt: now)
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
            cron: try QueueError.ofCalendar { () throws(CalendarError) in try CronExpression(cron) },
            timeZone: timeZone, overlap: overlap, catchUp: catchUp, jitter: jitter)
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
