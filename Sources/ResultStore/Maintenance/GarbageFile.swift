/// A file in the store that nobody will ever need.
public struct GarbageFile: Sendable, Hashable, Encodable {
    /// Relative to the store's root.
    public var path: String
    public var bytes: Int

    public init(path: String, bytes: Int) {
        self.path = path
        self.bytes = bytes
    }
}

/// A file that may be garbage.
struct GarbageCandidate: Sendable {
    var file: GarbageFile
    /// Its name in its folder.
    var name: String
    /// The claim that it belongs to; `nil` for a temporary file of another kind.
    var claim: ShardFileName?
}
