/// A schedule as its owner describes it.
public struct ScheduleDefinition: Sendable, Hashable {
    /// Unique among the schedules that were not removed.
    public var name: String
    public var timing: ScheduleTiming
    /// What is submitted at each due time.
    public var template: RunTemplate

    public init(name: String, timing: ScheduleTiming, template: RunTemplate) {
        self.name = name
        self.timing = timing
        self.template = template
    }
}

/// When a schedule fires, and what may keep it from that.
public struct ScheduleTiming: Sendable, Hashable {
    public var cron: CronExpression
    /// The name of an IANA time zone, such as "Europe/Berlin".
    public var timeZone: String
    public var overlap: OverlapPolicy
    /// How late the latest missed due time may still be caught up, in seconds.
    public var catchUp: Int
    /// Every due time is fired up to so many seconds later, so that not everything starts at once.
    public var jitter: Int

    public static let defaultCatchUp = 12 * 3600

    public init(
        cron: CronExpression, timeZone: String = "UTC", overlap: OverlapPolicy = .skip,
        catchUp: Int = Self.defaultCatchUp, jitter: Int = 0
    ) {
        self.cron = cron
        self.timeZone = timeZone
        self.overlap = overlap
        self.catchUp = catchUp
        self.jitter = jitter
    }
}
