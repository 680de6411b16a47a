public import FoundationEssentials

extension ScheduleDefinition {
    /// Checks that the schedule can fire.
    ///
    /// - Returns: The rules of its time zone.
    /// - Throws: `invalid` with the first thing that is wrong.
    @discardableResult
    func validate(now: Date) throws(QueueError) -> ZoneRules {
        try check(name, "the schedule's name", 1...200)
        let zone = try timing.validate(now: now)
        try template.submission(id: RunID(unchecked: "00000000")).validate()
        return zone
    }
}

extension ScheduleTiming {
    /// Checks ranges, the time zone, and that jitter never changes the order of due times.
    @discardableResult
    public func validate(now: Date) throws(QueueError) -> ZoneRules {
        try check(catchUp, "the catch-up window", 0...366 * 86_400)
        try check(jitter, "the jitter", 0...86_400)
        let zone = try ZoneRules(named: timeZone)
        let due = cron.due(after: now, in: zone, limit: 100)
        guard !due.isEmpty else {
            throw QueueError(.invalid, "cron expression '\(cron)' is never due in the next fifty years")
        }
        let shortest = zip(due, due.dropFirst()).map { $1.timeIntervalSince($0) }.min() ?? .infinity
        guard Double(jitter) < shortest else {
            throw QueueError(
                .invalid,
                """
                a jitter of \(jitter) seconds is too long for '\(cron)', which is due every \(Int(shortest)) seconds: \
                it must be less
                """)
        }
        return zone
    }
}
