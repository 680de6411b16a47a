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

    public init(
        run: RunID? = nil, endsWhenDrained: Bool = false, shardLimit: Int? = nil,
        leaseTTL: Duration = WorkerLease.defaultTTL
    ) {
        self.run = run
        self.endsWhenDrained = endsWhenDrained
        self.shardLimit = shardLimit
        self.leaseTTL = leaseTTL
    }
}

/// What a worker did before it ended.
public struct WorkerSummary: Sendable, Hashable, Encodable {
    public var committed = 0
    public var failed = 0
    /// Results that came too late: the shard was another's by then.
    public var fenced = 0
    public var released = 0
    public var samples = 0
    public var tokens = 0

    public init() {}
}
