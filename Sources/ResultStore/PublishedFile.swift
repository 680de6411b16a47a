/// A file that stands complete and immutable in the store; what the database row names.
public struct PublishedFile: Sendable, Hashable, Codable {
    /// Relative to the store's root, with "/" between components.
    public var path: String
    /// The file's size.
    public var bytes: Int
    /// The hash of the file's bytes, lowercase hexadecimal.
    public var sha256: String
    /// The logical digest, lowercase hexadecimal; see `LogicalDigest`.
    public var digest: String

    public init(path: String, bytes: Int, sha256: String, digest: String) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.digest = digest
    }
}
