/// The folder on shared storage that holds data sets, results and reports.
///
/// Every function does its work on HDF5's own thread; none blocks the cooperative pool. The layout:
///
///     datasets/<sha256>.jsonl
///     runs/<run>/<job>/shard-<no>.e<epoch>.<incarnation>.h5
///     runs/<run>/<job>/job.<digest>.h5
///     reports/<name>/v<N>/
public struct Store: Sendable {
    /// The root folder as given.
    public let root: String

    /// What a store is opened for.
    public enum Access: Sendable {
        /// The root must be there.
        case read
        /// The root is made if it is missing, and must be writable.
        case readWrite
    }
}
