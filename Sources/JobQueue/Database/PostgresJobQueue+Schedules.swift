public import FoundationEssentials
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
                timing: definition.timing, zone: try ZoneRules(named: definition.timing.timeZone), key: row.key,
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
        try check(name, "the schedule's name", 1...200)
        guard let schedule = try await readSchedules(named: name).first else {
            throw QueueError.scheduleNotFound(name, existing: try await schedules().map(\.name))
        }
        return schedule
    }

    public func template(ofSchedule name: String) async throws(QueueError) -> RunTemplate {
        try check(name, "the schedule's name", 1...200)
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
        try check(user, "the user's name", 1...200)
        if let reason { try check(reason, "the reason", 1...1000) }
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
        try check(name, "the schedule's name", 1...200)
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
