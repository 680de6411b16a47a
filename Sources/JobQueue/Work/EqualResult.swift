/// A result of another job that is what a shard's would be: of the same work, on the same engine.
public struct EqualResult: Sendable, Hashable {
    public var job: JobID
    /// Relative to the store.
    public var path: String
    public var bytes: Int64
    /// Of the file: 64 lower-case hexadecimal digits.
    public var sha256: String
    /// The logical digest of the content.
    public var digest: String
    /// The rows that it has.
    public var range: ShardRange

    public init(job: JobID, path: String, bytes: Int64, sha256: String, digest: String, range: ShardRange) {
        self.job = job
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.digest = digest
        self.range = range
    }

    /// So many are answered at most, and so many jobs are looked at.
    static let limit = 1000
}
