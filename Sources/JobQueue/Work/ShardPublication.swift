/// A published result file, as the commit makes it visible.
public struct ShardPublication: Sendable, Hashable {
    /// Relative to the store, with forward slashes.
    public var path: String
    public var bytes: Int64
    /// Of the file: 64 lower-case hexadecimal digits.
    public var sha256: String
    /// The logical digest of the content.
    public var digest: String
    public var samples: Int
    /// Tokens read and generated.
    public var tokens: Int
    /// Device time spent on this attempt.
    public var seconds: Double

    public init(
        path: String, bytes: Int64, sha256: String, digest: String, samples: Int, tokens: Int, seconds: Double
    ) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.digest = digest
        self.samples = samples
        self.tokens = tokens
        self.seconds = seconds
    }
}

/// A claim and what came of it, to be committed.
public struct ShardCommit: Sendable, Hashable {
    public var claimed: ClaimedShard
    public var publication: ShardPublication

    public init(_ claimed: ClaimedShard, _ publication: ShardPublication) {
        self.claimed = claimed
        self.publication = publication
    }
}

/// What a commit came to.
public enum CommitOutcome: String, Sendable, Hashable {
    /// The result is visible now.
    case committed
    /// This very result was committed before; its acknowledgement must have got lost.
    case already
    /// The shard belongs to somebody else by now: the result is not visible and never will be.
    case fenced
    /// Other results of the job come from another engine: the result is not visible, and the shard is still the worker's.
    case unlike
}
