public import FoundationEssentials

extension InMemoryJobQueue {
    @discardableResult
    public func addSchedule(_ definition: ScheduleDefinition, replacing: Bool) throws(QueueError) -> ScheduleRecord {
        try change { ledger, now throws(QueueError) in
            try ledger.addSchedule(definition, replacing: replacing, key: UUID(), now: now)
        }
        return try schedule(named: definition.name)
    }

    public func schedules() throws(QueueError) -> [ScheduleRecord] {
        ledger.schedules.sorted { $0.key < $1.key }.map { $0.value.record(name: $0.key) }
    }

    public func schedule(named name: String) throws(QueueError) -> ScheduleRecord {
        try ledger.schedule(named: name).record(name: name)
    }

    public func template(ofSchedule name: String) throws(QueueError) -> RunTemplate {
        try ledger.schedule(named: name).definition.template
    }

    @discardableResult
    public func pauseSchedule(
        named name: String, user: String, reason: String?
    ) throws(QueueError) -> ScheduleRecord {
        try change { ledger, now throws(QueueError) in
            try ledger.pauseSchedule(named: name, user: user, reason: reason, now: now)
        }
        return try schedule(named: name)
    }

    @discardableResult
    public func resumeSchedule(named name: String) throws(QueueError) -> ScheduleRecord {
        try change { ledger, now throws(QueueError) in try ledger.resumeSchedule(named: name, now: now) }
        return try schedule(named: name)
    }

    public func removeSchedule(named name: String) throws(QueueError) {
        try change { ledger, _ throws(QueueError) in try ledger.removeSchedule(named: name) }
    }

    public func fires(
        ofSchedule name: String, from: Date, through: Date, limit: Int
    ) throws(QueueError) -> [ScheduleFire] {
        try ledger.fires(ofSchedule: name, from: from, through: through, limit: limit)
    }

    public func fireDueSchedules(_ build: ScheduledRunBuilder) throws(QueueError) -> ScheduleRound {
        try change { ledger, now throws(QueueError) in ledger.fireDueSchedules(build, now: now) }
    }

    public func triggerSchedule(
        named name: String, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) throws(QueueError) -> ScheduleFire {
        try change { ledger, now throws(QueueError) in
            try ledger.triggerSchedule(named: name, overlap: overlap, build, now: now)
        }
    }

    public func backfillSchedule(
        named name: String, dueAt: Date, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) throws(QueueError) -> ScheduleFire {
        try change { ledger, now throws(QueueError) in
            try ledger.backfillSchedule(named: name, dueAt: dueAt, overlap: overlap, build, now: now)
        }
    }
}
