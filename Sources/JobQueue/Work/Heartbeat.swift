/// A shard that a worker holds, and how far it is.
public struct ShardProgress: Sendable, Hashable {
    public var key: ShardKey
    public var epoch: Epoch
    public var samples: Int
    /// Tokens read and generated so far.
    public var tokens: Int

    public init(key: ShardKey, epoch: Epoch, samples: Int = 0, tokens: Int = 0) {
        self.key = key
        self.epoch = epoch
        self.samples = samples
        self.tokens = tokens
    }
}

/// What a worker learns from a heartbeat.
public struct HeartbeatReply: Sendable, Hashable {
    /// The lease lasts this long, counted from before the heartbeat was sent.
    public var ttl: Duration
    /// Held by the worker, but no longer its own: stop, throw away.
    public var lost: [ShardKey]
    /// Of a cancelled run: stop and release.
    public var cancelled: [ShardKey]
    /// Claimed for this worker, but unknown to it (the answer to its claim got lost); given back by the heartbeat.
    public var orphaned: [ShardKey]
    /// Claim nothing more, finish what is held, deregister, exit.
    public var isDrainRequested: Bool

    public init(
        ttl: Duration, lost: [ShardKey] = [], cancelled: [ShardKey] = [], orphaned: [ShardKey] = [],
        isDrainRequested: Bool = false
    ) {
        self.ttl = ttl
        self.lost = lost
        self.cancelled = cancelled
        self.orphaned = orphaned
        self.isDrainRequested = isDrainRequested
    }
}
