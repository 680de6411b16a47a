public import FoundationEssentials

/// A shard as the queue knows it.
public struct ShardRecord: Sendable, Hashable, Encodable {
    public var key: ShardKey
    public var range: ShardRange
    public var state: ShardState
    /// Why it is held, failed or cancelled.
    public var reason: String?
    public var epoch: Epoch
    public var failures: Int
    /// How often a worker died while it had this shard.
    public var losses: Int
    /// When a blocked shard may be tried again.
    public var notBefore: Date?
    /// Who has it, or had it last.
    public var worker: WorkerID?
    public var startedAt: Date?
    public var endedAt: Date?
    public var samplesDone: Int
    public var tokensDone: Int

    public init(
        key: ShardKey, range: ShardRange, state: ShardState, reason: String?, epoch: Epoch, failures: Int, losses: Int,
        notBefore: Date?, worker: WorkerID?, startedAt: Date?, endedAt: Date?, samplesDone: Int, tokensDone: Int
    ) {
        self.key = key
        self.range = range
        self.state = state
        self.reason = reason
        self.epoch = epoch
        self.failures = failures
        self.losses = losses
        self.notBefore = notBefore
        self.worker = worker
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.samplesDone = samplesDone
        self.tokensDone = tokensDone
    }
}
