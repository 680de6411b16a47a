public import FoundationEssentials

/// How an attempt ended.
public enum AttemptOutcome: String, Sendable, Hashable, CaseIterable, Encodable {
    case running
    case done
    case failed
    /// Its worker died.
    case lost
    /// Its worker gave it back.
    case released
    case cancelled
    /// Its result was taken out later; the error says why.
    case withdrawn
}

/// One claim of a shard, from the log that nothing is ever removed from.
///
/// A result that comes in after its worker was declared dead, and before anybody else claimed the shard, has two
/// entries with the same epoch: lost, then done.
public struct AttemptRecord: Sendable, Hashable, Encodable {
    public var key: ShardKey
    public var epoch: Epoch
    public var outcome: AttemptOutcome
    public var error: String?
    public var worker: WorkerID
    public var host: String
    public var device: String
    public var startedAt: Date
    public var endedAt: Date?
    /// Device time as the worker reported it; nil where it could not.
    public var seconds: Double?

    public init(
        key: ShardKey, epoch: Epoch, outcome: AttemptOutcome, error: String?, worker: WorkerID, host: String,
        device: String, startedAt: Date, endedAt: Date?, seconds: Double?
    ) {
        self.key = key
        self.epoch = epoch
        self.outcome = outcome
        self.error = error
        self.worker = worker
        self.host = host
        self.device = device
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.seconds = seconds
    }
}
