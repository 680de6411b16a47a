/// What becomes of a prompt that is longer than the model takes.
public enum OverflowPolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// The left of it is cut off, as lm-eval does, and the sample says so in `is_truncated`.
    case truncate
    /// Its shard fails for good.
    case error
}
