import Glibc
import HDF5

/// The folder on shared storage that holds data sets, results and reports.
///
/// Every function does its work on HDF5's own thread; none blocks the cooperative pool. The layout:
///
///     datasets/<sha256>.jsonl
///     runs/<run>/<job>/shard-<no>.e<epoch>.<incarnation>.h5
///     runs/<run>/<job>/job.<digest>.h5
///     reports/<name>/v<N>/
///
/// Files under these names are complete and never change. Those being written have names ".*.tmp".
public struct Store: Sendable {
    /// The root folder as given.
    public let root: String

    /// What a store is opened for.
    public enum Access: Sendable {
        /// The root must be there.
        case read
        /// The root is made if only its last component is missing, and must be writable.
        case readWrite
    }

    /// Opens the store and, for writing, tries that a file can be written.
    ///
    /// Missing folders above the root are not made: they are more likely a file system that is not mounted.
    public init(root: String, access: Access = .readWrite) async throws(StoreError) {
        self.root = root
        try await Self.prepare(root, access: access)
    }

    @HDF5Actor
    private static func prepare(_ root: String, access: Access) throws(StoreError) {
        guard access == .readWrite else {
            _ = try Folder.root(root)
            return
        }
        if mkdir(root, 0o777) != 0, errno != EEXIST { throw unusable(errno, path: root) }
        do {
            let folder = try Folder.root(root)
            for name in [Layout.datasets, Layout.runs, Layout.reports] {
                _ = try folder.folder([name], create: true)
            }
            let probe = try TemporaryFile(for: "probe", in: folder)
            try probe.write([UInt8](repeating: 0, count: 4096))
            try probe.flush()
        } catch  where error.code == .inputOutput || error.code == .malformed {
            throw StoreError(
                .unusableStore, path: error.path,
                "the store cannot be used: \(error.message) Point ASSAY_STORE to a folder that this user can write.")
        }
    }

    private static func unusable(_ number: Int32, path: String) -> StoreError {
        switch number {
        case ENOSPC, EDQUOT: .system(number, "making the store", path: path)
        default: .unusable(number, path: path)
        }
    }

    /// The absolute path of a file of the store, for people and tools.
    ///
    /// Throws `invalidInput` if `relative` could leave the store; that there is such a file is not checked.
    public func absolutePath(_ relative: String) throws(StoreError) -> String {
        let path = try StorePath(parsing: relative)
        guard !self.root.hasPrefix("/") else { return "\(self.root)/\(path.text)" }
        guard let current = getcwd(nil, 0) else { throw .system(errno, "finding the working folder", path: self.root) }
        defer { free(current) }
        return "\(String(cString: current))/\(self.root)/\(path.text)"
    }
}
