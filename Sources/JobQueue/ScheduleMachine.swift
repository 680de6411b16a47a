public import Calendar
public import FoundationEssentials

/// What a schedule is to do, as a value: no clock, no database, no chance.
///
/// Each step decides about everything that is due by `now` and fires once at most; its caller stores the
/// changed machine in the same transaction.
public struct ScheduleMachine: Sendable, Hashable {
    /// A due time that waits for open runs to end.
    public struct Waiting: Sendable, Hashable {
        public var dueAt: Date
        public var kind: ScheduleFire.Kind

        public init(dueAt: Date, kind: ScheduleFire.Kind) {
            self.dueAt = dueAt
            self.kind = kind
        }
    }

    public let timing: ScheduleTiming
    public let zone: ZoneRules
    public let key: ScheduleKey
    /// Why the clock does not fire; nil when the schedule is not paused.
    public var pauseReason: String?
    /// The first due time about which nothing is decided.
    public var nextAt: Date?
    public var waiting: Waiting?

    public init(
        timing: ScheduleTiming, zone: ZoneRules, key: ScheduleKey, pauseReason: String? = nil, nextAt: Date? = nil,
        waiting: Waiting? = nil
    ) {
        self.timing = timing
        self.zone = zone
        self.key = key
        self.pauseReason = pauseReason
        self.nextAt = nextAt
        self.waiting = waiting
    }

    /// What a step asks for.
    public struct Step: Sendable, Hashable {
        public struct Skip: Sendable, Hashable {
            public var dueAt: Date
            public var kind: ScheduleFire.Kind
            public var reason: String

            public init(dueAt: Date, kind: ScheduleFire.Kind, reason: String) {
                self.dueAt = dueAt
                self.kind = kind
                self.reason = reason
            }
        }

        public struct Fire: Sendable, Hashable {
            public var dueAt: Date
            public var kind: ScheduleFire.Kind
            /// What was unusual about it.
            public var reason: String?
            public var cancelling: [RunID] = []

            public init(dueAt: Date, kind: ScheduleFire.Kind, reason: String? = nil, cancelling: [RunID] = []) {
                self.dueAt = dueAt
                self.kind = kind
                self.reason = reason
                self.cancelling = cancelling
            }
        }

        public var skips: [Skip] = []
        public var fire: Fire?

        public init(skips: [Skip] = [], fire: Fire? = nil) {
            self.skips = skips
            self.fire = fire
        }
    }

    /// When nothing but time can have changed anything.
    public func lookAt(now: Date) -> Date {
        let wake = nextAt.map { wakeAt($0) } ?? .distantFuture
        return waiting == nil ? wake : min(wake, now + Self.waitingInterval)
    }

    /// The moment at which a due time is fired.
    public func wakeAt(_ dueAt: Date) -> Date {
        dueAt + key.jitter(dueAt: dueAt, span: timing.jitter)
    }

    /// Seconds between two looks at the runs that a due time waits for.
    public static let waitingInterval: Double = 5
    /// Due times that one step looks at.
    public static let stepLimit = 10_000
    /// Missed due times that are recorded one by one.
    public static let recordLimit = 100
}

// MARK: - Steps

extension ScheduleMachine {
    /// Decides about all that is due.
    ///
    /// - Parameter open: Runs of this schedule that have not ended.
    public mutating func step(now: Date, open: [RunID]) -> Step {
        if let step = stepOfWaiting(open: open) { return step }
        var (ripe, isComplete) = takeRipe(now: now)
        var step = Step()
        guard let latest = ripe.last else { return step }
        if let pauseReason {
            step.skips = Self.skips(ripe, reason: "the schedule is paused: \(pauseReason)")
            return step
        }
        if isComplete { ripe.removeLast() }
        step.skips = Self.skips(ripe, reason: "missed: nobody looked before a later time was due")
        guard isComplete else { return step }
        let late = now.timeIntervalSince(wakeAt(latest))
        guard late <= Double(timing.catchUp) else {
            let text = "missed: nobody looked for \(Self.text(late)), and the catch-up window is "
            step.skips.append(
                Step.Skip(dueAt: latest, kind: .clock, reason: text + Self.text(Double(timing.catchUp))))
            return step
        }
        let own = decide(latest, .clock, timing.overlap, open: open)
        step.skips += own.skips
        guard var fire = own.fire else { return step }
        if late >= 60, fire.reason == nil { fire.reason = "caught up \(Self.text(late)) late" }
        step.fire = fire
        return step
    }

    /// Decides about a time that a person asks for; a pause does not matter.
    public mutating func decide(
        _ dueAt: Date, _ kind: ScheduleFire.Kind, _ overlap: OverlapPolicy, open: [RunID]
    ) -> Step {
        let runs = open.count == 1 ? "run \(open[0]) is" : "runs \(open.map(\.text).joined(separator: ", ")) are"
        switch overlap {
        case .allowAll:
            return Step(fire: Step.Fire(dueAt: dueAt, kind: kind))
        case _ where open.isEmpty && waiting == nil:
            return Step(fire: Step.Fire(dueAt: dueAt, kind: kind))
        case .cancelOther:
            let reason = open.isEmpty ? nil : "\(runs) cancelled for it"
            return Step(fire: Step.Fire(dueAt: dueAt, kind: kind, reason: reason, cancelling: open))
        case .skip:
            let reason = open.isEmpty ? "another time waits already" : "\(runs) still open"
            return Step(skips: [Step.Skip(dueAt: dueAt, kind: kind, reason: reason)])
        case .bufferOne:
            if waiting == nil {
                waiting = Waiting(dueAt: dueAt, kind: kind)
                return Step()
            }
            let reason = "another time waits already, because \(open.isEmpty ? "a run was" : runs) still open"
            return Step(skips: [Step.Skip(dueAt: dueAt, kind: kind, reason: reason)])
        }
    }

    /// Fires what waits, once it can; what is due besides has its turn in the next step.
    private mutating func stepOfWaiting(open: [RunID]) -> Step? {
        guard let waiting else { return nil }
        if let pauseReason, waiting.kind == .clock {
            self.waiting = nil
            let reason = "paused while it waited for the run before it: \(pauseReason)"
            return Step(skips: [Step.Skip(dueAt: waiting.dueAt, kind: .clock, reason: reason)])
        }
        guard open.isEmpty else { return nil }
        self.waiting = nil
        let reason = "waited for the run before it"
        return Step(fire: Step.Fire(dueAt: waiting.dueAt, kind: waiting.kind, reason: reason))
    }

    /// Takes what is due by now, in order; not complete when there was more than one step can look at.
    private mutating func takeRipe(now: Date) -> (ripe: [Date], isComplete: Bool) {
        var ripe: [Date] = []
        while let dueAt = nextAt, wakeAt(dueAt) <= now {
            guard ripe.count < Self.stepLimit else { return (ripe, false) }
            ripe.append(dueAt)
            nextAt = timing.cron.next(after: dueAt, in: zone)
        }
        return (ripe, true)
    }

    /// One record a due time; of very many only the latest, and one for all before them.
    private static func skips(_ times: [Date], reason: String) -> [Step.Skip] {
        var skips = times.suffix(recordLimit).map { Step.Skip(dueAt: $0, kind: .clock, reason: reason) }
        let rest = times.dropLast(skips.count)
        if let first = rest.first, let last = rest.last {
            let more = rest.count > 1 ? "; so were \(rest.count - 1) more until \(last.formatted(.iso8601))" : ""
            skips.insert(Step.Skip(dueAt: first, kind: .clock, reason: reason + more), at: 0)
        }
        return skips
    }

    /// "90 s", "12 min", "3.5 h" or "2 d".
    public static func text(_ seconds: Double) -> String {
        let units: [(Double, String)] = [(86_400, "d"), (3600, "h"), (60, "min")]
        for (unit, name) in units where seconds >= 2 * unit {
            let tenths = Int((seconds / unit * 10).rounded())
            return tenths % 10 == 0 ? "\(tenths / 10) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)"
        }
        return "\(Int(seconds.rounded())) s"
    }
}

// MARK: - What people do

extension ScheduleMachine {
    /// A schedule that begins now.
    public init(timing: ScheduleTiming, zone: ZoneRules, key: ScheduleKey, startingAt now: Date) {
        self.timing = timing
        self.zone = zone
        self.key = key
        nextAt = timing.cron.next(after: now, in: zone)
    }

    /// Skips what was due by now, because something happened before anybody had looked.
    public mutating func skipRipe(now: Date, reason: String) -> [Step.Skip] {
        var skips: [Step.Skip] = []
        while true {
            let (ripe, isComplete) = takeRipe(now: now)
            skips += Self.skips(ripe, reason: reason)
            if isComplete { return skips }
        }
    }

    /// Checks that a run of a past due time may be asked for.
    public func checkBackfill(of dueAt: Date, now: Date) throws(QueueError) {
        guard dueAt <= now else { throw QueueError.notPast(dueAt) }
        guard timing.cron.next(after: dueAt - 1, in: zone) == dueAt else {
            throw QueueError.notDue(dueAt, timing.cron, zone: zone.name)
        }
    }
}
