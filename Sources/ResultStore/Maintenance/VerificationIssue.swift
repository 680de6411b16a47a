/// One thing in the store that is not as published.
public struct VerificationIssue: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case missing, wrongSize, wrongSHA256, wrongDigest, unreadable, wrongManifest, wrongContent
        /// It is another job's result, or another shard's.
        case foreign
        /// Reading failed, which says nothing about what is in the file.
        case inaccessible
    }

    public var kind: Kind
    /// Relative to the store's root.
    public var path: String
    /// The number of the shard whose result it should be; nil for a job's file.
    public var shard: Int?
    /// What is wrong.
    public var message: String
}
