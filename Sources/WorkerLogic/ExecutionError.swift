/// Why a shard was not finished.
public struct ExecutionError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// It would fail the same way again: a bad row, a task that asks for what the engine can't do.
        case permanent
        /// It may work elsewhere or later: no memory, a file that is not there yet.
        case transient
        /// The store has no room now: a full disk, or a quota.
        case storeFull
        /// The store takes or gives nothing now: a file server that is away, or one that answers with errors.
        case storeUnavailable
        /// The store does not let this process read or write, which waiting does not change.
        case storeRefused
        /// This node lacks what the shard needs, such as a model's file; another one may have it.
        case nodeFault
        /// It was told to stop.
        case cancelled
    }

    /// What a node may lack, the same for all jobs that need it.
    public enum Thing: Sendable, Hashable {
        /// A model's file; the path tells which, where the same file is registered twice.
        case model(sha256: String, path: String)
        case dataSet(sha256: String)
        /// Running what models write.
        case runningPrograms
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String
    /// What this node lacks, for `nodeFault`; nil where that can't be told.
    public var lacking: Thing?

    public init(_ code: Code, _ message: String, lacking: Thing? = nil) {
        self.code = code
        self.message = message
        self.lacking = lacking
    }

    public var description: String { self.message }
}
