/// Why an attempt failed.
public struct ShardFailure: Sendable, Hashable {
    public var message: String
    /// True when another try can't succeed (a bad row, an unsupported request).
    public var isPermanent: Bool
    /// Device time spent on this attempt.
    public var seconds: Double

    public init(message: String, isPermanent: Bool, seconds: Double) {
        self.message = message
        self.isPermanent = isPermanent
        self.seconds = seconds
    }
}

/// What becomes of a shard whose attempt failed.
public enum FailureOutcome: Sendable, Hashable {
    /// Another worker may try it after this time.
    case retry(after: Duration)
    /// Given up: a permanent error, or no attempts left.
    case failed
    /// Its run was cancelled meanwhile.
    case cancelled
    /// The shard was not this worker's any more; nothing was recorded.
    case fenced
    /// Somebody keeps the job locked; nothing was recorded, and the shard is still this worker's.
    case jobIsLocked
}

/// What a reaper's round came to.
public struct ReapReport: Sendable, Hashable {
    /// Workers declared dead.
    public var workers: Int
    /// Shards that went back to be claimed again.
    public var requeued: Int
    /// Shards held as suspected poison.
    public var held: Int
    /// Shards whose backoff is over.
    public var promoted: Int

    public init(workers: Int = 0, requeued: Int = 0, held: Int = 0, promoted: Int = 0) {
        self.workers = workers
        self.requeued = requeued
        self.held = held
        self.promoted = promoted
    }
}
