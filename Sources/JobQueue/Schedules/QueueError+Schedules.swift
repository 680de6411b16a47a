import FoundationEssentials

// The sentences that both implementations say.
extension QueueError {
    static func scheduleNotFound(_ name: String, existing: [String]) -> QueueError {
        let others = existing.isEmpty ? "none was added yet" : "there are \(existing.joined(separator: ", "))"
        return QueueError(.notFound, "there is no schedule '\(name)' (\(others)): add it with `assay schedule add`")
    }

    static func scheduleConflict(_ name: String) -> QueueError {
        QueueError(
            .conflict,
            "schedule '\(name)' exists already and is another one: replace it (--replace), or choose another name")
    }

    static func notFiredFromHere(_ name: String, _ code: Code, _ reason: String) -> QueueError {
        QueueError(code, "schedule '\(name)' can't be fired from here: \(reason)")
    }

    static func notDue(_ time: Date, _ cron: CronExpression, zone: String) -> QueueError {
        QueueError(
            .invalid, "\(time.formatted(.iso8601)) is no due time of '\(cron)' in \(zone): give one that was due")
    }

    static func notPast(_ time: Date) -> QueueError {
        QueueError(
            .invalid, "\(time.formatted(.iso8601)) is still to come: only times that are past can be backfilled")
    }
}
