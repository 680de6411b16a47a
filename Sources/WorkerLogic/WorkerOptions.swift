internal import FoundationEssentials
public import JobQueue

/// How a worker looks for work and when it ends.
public struct WorkerOptions: Sendable {
    /// Only shards of this run; `nil`: any.
    public var run: RunID?
    /// End once no shard is left that could still run, instead of waiting for more.
    public var endsWhenDrained: Bool
    /// End after this many shards; `nil`: no limit.
    public var shardLimit: Int?
    /// How long the queue waits for a sign of life before others get the shards.
    public var leaseTTL: Duration
    /// Claim and prepare the next shard while one is computed.
    public var prefetches: Bool
    /// How long a result is kept that the store does not take; then it is a failed attempt.
    public var storePatience: Duration
    /// How long the device, or a read or write of the store, may show no sign of life before the worker ends its process.
    public var stallLimit: Duration
    /// Seconds between two looks at what is due in the queue; a thousand workers cost it a hundred a second.
    public var careInterval: ClosedRange<Double>

    public init(
        run: RunID? = nil, endsWhenDrained: Bool = false, shardLimit: Int? = nil,
        leaseTTL: Duration = WorkerLease.defaultTTL, prefetches: Bool = true,
        storePatience: Duration = .seconds(1800), stallLimit: Duration = .seconds(900),
        careInterval: ClosedRange<Double> = 5...15
    ) {
        self.run = run
        self.endsWhenDrained = endsWhenDrained
        self.shardLimit = shardLimit
        self.leaseTTL = leaseTTL
        self.prefetches = prefetches
        self.storePatience = storePatience
        self.stallLimit = stallLimit
        self.careInterval = careInterval
    }

    /// A store may take as long as results are kept for it.
    var stallLimits: StallLimits {
        StallLimits(computing: self.stallLimit, store: max(self.stallLimit, self.storePatience))
    }
}

/// What a worker did before it ended.
public struct WorkerSummary: Sendable, Hashable, Codable {
    public var committed = 0
    /// Attempts that failed, also those that another attempt made good.
    public var failed = 0
    /// Shards that had no attempt left, or whose error no other attempt would change: they have no result.
    public var givenUp = 0
    /// Results that came too late: the shard was another's by then.
    public var fenced = 0
    public var released = 0
    public var samples = 0
    public var tokens = 0
    /// Time that shards spent on the device.
    public var deviceSeconds = 0.0
    /// Time that the device waited between one shard and the next while there was work.
    public var idleSeconds = 0.0
    /// Why the worker left although there was work: what its node lacks.
    public var reasonForLeaving: String?

    public init() {}

    package mutating func add(_ other: WorkerSummary) {
        self.committed += other.committed
        self.failed += other.failed
        self.givenUp += other.givenUp
        self.fenced += other.fenced
        self.released += other.released
        self.samples += other.samples
        self.tokens += other.tokens
        self.deviceSeconds += other.deviceSeconds
        self.idleSeconds += other.idleSeconds
        self.reasonForLeaving = self.reasonForLeaving ?? other.reasonForLeaving
    }
}

extension WorkerSummary {
    /// What a worker printed at its end; nil when it did not get that far.
    package init?(json: [UInt8]) {
        guard let summary = try? JSONDecoder().decode(Self.self, from: Data(json)) else { return nil }
        self = summary
    }
}
