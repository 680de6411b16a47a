public import FoundationEssentials

/// A committed result: the only thing that makes a published file count.
public struct ShardResult: Sendable, Hashable {
    public var key: ShardKey
    public var range: ShardRange
    public var epoch: Epoch
    public var incarnation: Incarnation
    public var publication: ShardPublication
    public var worker: WorkerID
    public var committedAt: Date

    public init(
        key: ShardKey, range: ShardRange, epoch: Epoch, incarnation: Incarnation, publication: ShardPublication,
        worker: WorkerID, committedAt: Date
    ) {
        self.key = key
        self.range = range
        self.epoch = epoch
        self.incarnation = incarnation
        self.publication = publication
        self.worker = worker
        self.committedAt = committedAt
    }
}
