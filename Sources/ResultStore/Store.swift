internal import Crypto
internal import Files
import Glibc
import HDF5

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.UUID
#else
public import struct Foundation.UUID
#endif

/// The folder on shared storage that holds data sets, results and reports.
///
/// Every function does its work on HDF5's own thread; none blocks the cooperative pool. The layout:
///
///     .assay-store                  who the store is, and whose
///     datasets/<sha256>.jsonl
///     runs/<run>/<job>/<job>.shard-<no>.e<epoch>.<incarnation>.h5
///     runs/<run>/<job>/job.<digest>.h5
///     reports/<name>/v<N>/
///
/// Files under these names are complete and never change. Those being written have names ".*.tmp".
public struct Store: Sendable {
    /// The root folder as given.
    public let root: String
    /// The root as it was opened.
    let place: StoreRoot

    /// Who the store is, and whose.
    public var identity: StoreIdentity { self.place.identity }

    /// What a store is opened for.
    public enum Access: Sendable {
        /// Nothing is written.
        case read
        /// Something may be written, and it is tried that a file can be.
        case readWrite
    }

    /// Opens a store that is there, and for writing makes its folders and tries that a file can be written in each.
    ///
    /// Makes no root: a root that is missing is more likely a file system that is not mounted. Throws `unusableStore` if
    /// there is no store or this user can't write in it, `unavailableStore` if its file system does not answer.
    public init(root: String, access: Access = .readWrite) async throws(StoreError) {
        self.init(try await Self.open(root, access), root: root)
    }

    private init(_ place: StoreRoot, root: String) {
        self.root = root
        self.place = place
    }

    /// Makes a store, unless one is there, and opens it for writing; folders above the root must be there.
    public static func create(root: String) async throws(StoreError) -> Store {
        try await self.make(root)
        return try await Store(root: root)
    }

    /// Makes the folder `root` the store of a database, even if it belonged to another, and opens it for writing.
    ///
    /// A folder that is no store yet becomes one; what is in it stays.
    public static func adopt(root: String, database: UUID) async throws(StoreError) -> Store {
        try await self.change(root, owner: database)
        return try await Store(root: root)
    }

    /// Who the store in the folder `root` is; nil if the folder is no store, or is not there.
    public static func identity(root: String) async throws(StoreError) -> StoreIdentity? {
        try await self.find(root)
    }

    /// Throws unless the store still stands at its path and still is this one: before anything else writes in it.
    public func check() async throws(StoreError) { try await self.place.check() }

    /// Makes the folders of a store that was opened for reading, and tries that a file can be written in each.
    public func prepareForWriting() async throws(StoreError) { try await Self.prepare(self.place) }

    @HDF5Actor
    private static func open(_ root: String, _ access: Access) throws(StoreError) -> StoreRoot {
        let place = try StoreRoot(root)
        if access == .readWrite { try Self.prepare(place) }
        return place
    }

    @HDF5Actor
    private static func prepare(_ place: StoreRoot) throws(StoreError) {
        do {
            try Self.probe(place.folder())
            // Made by another user, each of them may refuse this one.
            for name in [Layout.datasets, Layout.runs, Layout.reports] {
                try Self.probe(place.folder([name], create: true))
            }
        } catch  where error.code == .inputOutput || error.code == .malformed {
            throw StoreError(
                .unusableStore, path: error.path,
                "the store cannot be used: \(error.message) Point ASSAY_STORE to a folder that this user can write.")
        }
    }

    @HDF5Actor
    private static func probe(_ folder: consuming Folder) throws(StoreError) {
        let probe = try TemporaryFile(for: Layout.probe, in: folder)
        try probe.write([UInt8](repeating: 0, count: 4096))
        try probe.flush()
    }

    @HDF5Actor
    private static func make(_ root: String) throws(StoreError) {
        // Whether a power cut leaves the root matters to nobody: without it there is no store.
        if mkdir(root, 0o777) != 0, errno != EEXIST { throw Self.unusable(errno, path: root) }
        let folder = try Folder.root(root)
        guard try StoreIdentity.read(in: folder) == nil else { return }
        _ = try StoreIdentity(store: UUID()).write(in: folder, replacing: false)
    }

    @HDF5Actor
    private static func change(_ root: String, owner: UUID) throws(StoreError) {
        let folder = try Folder.root(root)
        let known = try StoreIdentity.read(in: folder)
        guard known?.database != owner else { return }
        _ = try StoreIdentity(store: known?.store ?? UUID(), database: owner).write(in: folder, replacing: true)
    }

    @HDF5Actor
    private static func find(_ root: String) throws(StoreError) -> StoreIdentity? {
        var status = stat()
        if stat(root, &status) != 0, errno == ENOENT { return nil }
        return try StoreIdentity.read(in: try Folder.root(root))
    }

    private static func unusable(_ number: Int32, path: String) -> StoreError {
        switch number {
        case ENOSPC, EDQUOT: .system(number, "making the store", path: path)
        case ENOENT:
            StoreError(
                .unusableStore, path: path,
                "the store cannot be made: the folder above it is not there. Make that first, or mount its file system."
            )
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

extension Store {
    /// Puts bytes under a name in the store: temporary file, flush, read back, verify, rename, flush of the folder.
    ///
    /// `isGood` judges the bytes that were read back.
    @HDF5Actor
    func publish(
        _ bytes: [UInt8], at path: StorePath, digest: String, replacing: Bool = false,
        isGood: ([UInt8]) throws(StoreError) -> Bool
    ) throws(StoreError) -> PublishedFile {
        try self.place.check()
        let folder = try self.place.folder(path.folder, create: true)
        let sha256 = SHA256.text(of: bytes)
        let published = PublishedFile(path: path.text, bytes: bytes.count, sha256: sha256, digest: digest)
        if try folder.status(path.name) != nil {
            if try folder.sha256(path.name).sha256 != sha256 {
                guard replacing else {
                    throw StoreError(
                        .conflict, path: "\(folder.path)/\(path.name)",
                        "a different file has this name already; published files never change.")
                }
            } else if self.place.isDurable(path.name, in: folder) {
                return published
            }
            // What may not be on the disk is written again: that it could not be flushed is reported only once.
        }
        let file = try TemporaryFile(for: path.name, in: folder)
        try file.write(bytes)
        try file.flush()
        let written = try folder.read(file.name)
        guard written == bytes, try isGood(written) else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(file.name)",
                "what was written reads back differently; nothing was kept. Check the disk and the file system.")
        }
        try self.place.commit(file, as: path.name, in: folder)
        return published
    }
}

extension Store {
    /// Copies a data set into the store, once, and returns its SHA-256, by which it is named.
    ///
    /// One that is there already is read and verified. Throws `noSpace`, or `corrupt` if the one there is damaged.
    public func importDataSet(bytes: [UInt8]) async throws(StoreError) -> String {
        try await self.importDataSet(bytes)
    }

    /// Copies the data set in the regular file at `path` into the store, once, and returns its SHA-256.
    public func importDataSet(file path: String) async throws(StoreError) -> String {
        try await self.importFile(path)
    }

    /// The bytes of a data set; throws `missing`, or `corrupt` if they do not have this SHA-256.
    public func dataSet(sha256: String) async throws(StoreError) -> [UInt8] {
        try await self.readDataSet(sha256)
    }

    @HDF5Actor
    private func importDataSet(_ bytes: [UInt8]) throws(StoreError) -> String {
        let sha256 = SHA256.text(of: bytes)
        try self.place.check()
        let folder = try self.place.folder([Layout.datasets], create: true)
        guard try !self.verify(sha256, in: folder) else { return sha256 }
        let file = try TemporaryFile(for: sha256, in: folder)
        try file.write(bytes)
        try self.commit(file, sha256: sha256, in: folder)
        return sha256
    }

    @HDF5Actor
    private func importFile(_ path: String) throws(StoreError) -> String {
        let source = try OpenFile(path: path)
        try self.place.check()
        let folder = try self.place.folder([Layout.datasets], create: true)
        let file = try TemporaryFile(for: "import", in: folder)
        var hasher = SHA256()
        try source.readAll { (part) throws(StoreError) in
            part.withUnsafeBytes { hasher.update(bufferPointer: $0) }
            try file.write(part)
        }
        let sha256 = hasher.finalize().hexadecimal
        guard try !self.verify(sha256, in: folder) else { return sha256 }
        try self.commit(file, sha256: sha256, in: folder)
        return sha256
    }

    /// Whether the data set is there, durably; throws if it is damaged.
    @HDF5Actor
    private func verify(_ sha256: String, in folder: borrowing Folder) throws(StoreError) -> Bool {
        let name = try Layout.dataSet(sha256).name
        guard try folder.status(name) != nil else { return false }
        guard try folder.sha256(name).sha256 == sha256 else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(name)",
                "the data set is damaged: its SHA-256 is not its name. Move it away and import the data set again.")
        }
        // It is wanted again: garbage collection counts from now. Another user's can't be touched, nor need it be, since
        // a process that names a data set checks afterwards that it is there.
        utimensat(folder.descriptor, name, nil, AT_SYMLINK_NOFOLLOW)
        return self.place.isDurable(name, in: folder)
    }

    @HDF5Actor
    private func commit(
        _ file: consuming TemporaryFile, sha256: String, in folder: borrowing Folder
    ) throws(StoreError) {
        try file.flush()
        guard try folder.sha256(file.name).sha256 == sha256 else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(file.name)",
                "what was written could not be read back; nothing was kept.")
        }
        try self.place.commit(file, as: try Layout.dataSet(sha256).name, in: folder)
    }

    @HDF5Actor
    private func readDataSet(_ sha256: String) throws(StoreError) -> [UInt8] {
        let path = try Layout.dataSet(sha256)
        let folder = try self.place.folder(path.folder)
        // A collection may have died after it put aside what it was to put back. A data set that is read is needed.
        if try folder.status(path.name) == nil, try folder.status(Layout.dataSetAside(sha256)) != nil {
            try self.place.check()
            try self.putBack(sha256, in: folder)
        }
        return try folder.read(path.name, sha256: sha256)
    }
}

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
