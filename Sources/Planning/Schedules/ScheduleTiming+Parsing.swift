internal import FoundationEssentials
internal import JobQueue
internal import Yams

extension ScheduleTiming {
    /// Reads a job file's `schedule`; the time zone must exist on this machine.
    init(_ node: Node, path: String) throws(PlanningError) {
        let reader = try YAMLReader(
            node, path: path, prefix: "schedule", known: ["cron", "time_zone", "overlap", "catch_up", "jitter"])
        let text = try reader.required("cron")
        let cron = try Self.checked(reader, "cron") { () throws(QueueError) in try CronExpression(text) }
        self.init(cron: cron)
        if let name = try reader.string("time_zone") {
            self.timeZone = try Self.checked(reader, "time_zone") { () throws(QueueError) in
                try ZoneRules(named: name).name
            }
        }
        if let name = try reader.string("overlap") {
            self.overlap = try Self.checked(reader, "overlap") { () throws(QueueError) in try OverlapPolicy(name: name)
            }
        }
        if let seconds = try Self.duration(reader, "catch_up") { self.catchUp = seconds }
        if let seconds = try Self.duration(reader, "jitter") { self.jitter = seconds }
        do {
            try self.validate(now: Date())
        } catch {
            throw reader.error("cron", reader.node("cron"), "can't be used: \(error)")
        }
    }

    private static func checked<Value>(
        _ reader: YAMLReader, _ key: String, _ read: () throws(QueueError) -> Value
    ) throws(PlanningError) -> Value {
        do {
            return try read()
        } catch {
            throw reader.error(key, reader.node(key), "is wrong: \(error)")
        }
    }

    private static func duration(_ reader: YAMLReader, _ key: String) throws(PlanningError) -> Int? {
        guard let text = try reader.string(key) else { return nil }
        guard let seconds = DurationText.seconds(text) else {
            throw reader.error(
                key, reader.node(key), "is '\(text)'; it must be a duration such as 12h, 30m, 90s or 1d12h")
        }
        return seconds
    }
}
