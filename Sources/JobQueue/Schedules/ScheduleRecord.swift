public import FoundationEssentials

/// A schedule as the queue knows it.
public struct ScheduleRecord: Sendable, Hashable {
    public var name: String
    public var timing: ScheduleTiming
    public var project: String
    public var user: String
    public var createdAt: Date
    /// When it was replaced last.
    public var updatedAt: Date
    /// The first due time about which nothing is decided; nil when none is to come.
    public var nextAt: Date?
    /// A due time that waits for the open runs to end.
    public var waitingFire: ScheduleFire?
    public var pause: Pause?
    /// What was recorded for the latest due time.
    public var lastFire: ScheduleFire?

    public struct Pause: Sendable, Hashable, Encodable {
        public var at: Date
        public var user: String
        public var reason: String?

        public init(at: Date, user: String, reason: String?) {
            self.at = at
            self.user = user
            self.reason = reason
        }
    }

    public init(
        name: String, timing: ScheduleTiming, project: String, user: String, createdAt: Date, updatedAt: Date,
        nextAt: Date?, waitingFire: ScheduleFire?, pause: Pause?, lastFire: ScheduleFire?
    ) {
        self.name = name
        self.timing = timing
        self.project = project
        self.user = user
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.nextAt = nextAt
        self.waitingFire = waitingFire
        self.pause = pause
        self.lastFire = lastFire
    }
}

extension ScheduleRecord: Encodable {
    private enum Key: String, CodingKey {
        case name, cron, timeZone, overlap, catchUpSeconds, jitterSeconds, project, user, createdAt, updatedAt, nextAt
        case waitingFire, pause, lastFire
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(timing.cron.text, forKey: .cron)
        try container.encode(timing.timeZone, forKey: .timeZone)
        try container.encode(timing.overlap, forKey: .overlap)
        try container.encode(timing.catchUp, forKey: .catchUpSeconds)
        try container.encode(timing.jitter, forKey: .jitterSeconds)
        try container.encode(project, forKey: .project)
        try container.encode(user, forKey: .user)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(updatedAt, forKey: .updatedAt)
        try container.encodeIfPresent(nextAt, forKey: .nextAt)
        try container.encodeIfPresent(waitingFire, forKey: .waitingFire)
        try container.encodeIfPresent(pause, forKey: .pause)
        try container.encodeIfPresent(lastFire, forKey: .lastFire)
    }
}
