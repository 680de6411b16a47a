/// What went wrong in the store, where, and what to do about it.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure, for callers that decide by it.
    public enum Code: Sendable, Hashable {
        /// The root is missing, is no store, is another database's, or something in it may not be read or written by this
        /// user. Waiting changes nothing: a worker drains, and burns no attempt.
        case unusableStore
        /// The store that was opened is away: unmounted, exchanged, or its server does not answer. It may come back: a
        /// worker waits.
        case unavailableStore
        /// The disk, a quota or a limit on file size is exhausted; nothing was left behind.
        case noSpace
        /// A file that should be there is not.
        case missing
        /// A file's size or hash differs from what was published.
        case corrupt
        /// A file is no result file of this version, or a hostile one.
        case malformed
        /// What the caller gave cannot be stored (names, counts, headers that contradict each other).
        case invalidInput
        /// A different file already has this name.
        case conflict
        /// Reading or writing failed for another reason.
        case inputOutput
    }

    public var code: Code
    /// The file or folder concerned.
    public var path: String
    /// What happened and what to do.
    public var message: String

    public init(_ code: Code, path: String, _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// The job of the published file that is missing or damaged, such as "k3f9m2ab.1"; `nil` for any other error.
    public var damagedJob: String? {
        guard [.missing, .corrupt, .malformed].contains(self.code) else { return nil }
        // The path may be absolute.
        let names = self.path.split(separator: "/")
        guard let path = try? StorePath(names.suffix(4).map(String.init)) else { return nil }
        return ShardFileName(path)?.job
    }

    public var description: String { "\(self.path): \(self.message)" }
}
