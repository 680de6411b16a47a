import Glibc
import HDF5

extension Store {
    /// Removes shards that no row names, and files whose writers died; returns what was, or with `dryRun` would be, removed.
    ///
    /// `published` are the paths, relative to the store, that rows name; none of them is ever removed. Neither is what is
    /// younger than `age` by the file system's own clock: a worker may be about to commit it. Read the rows before
    /// calling, and let `age` exceed the longest time between a file's writing and its row. Of runs/ only shards and
    /// temporary files are touched, elsewhere only temporary files.
    public func collectGarbage(
        published: Set<String>, olderThan age: Duration = .seconds(24 * 3600), dryRun: Bool
    ) async throws(StoreError) -> [GarbageFile] {
        try await self.collect(published: published, olderThan: age, dryRun: dryRun)
    }

    @HDF5Actor
    private func collect(
        published: Set<String>, olderThan age: Duration, dryRun: Bool
    ) throws(StoreError) -> [GarbageFile] {
        let root = try Folder.root(self.root)
        let collector = GarbageCollector(
            published: published, newest: try Self.now(in: root) - Int(age.components.seconds), dryRun: dryRun)
        var garbage = try collector.collect([], in: root) { Layout.isTemporary($0) }
        garbage += try collector.collect([Layout.datasets], in: root) { Layout.isTemporary($0) }
        let runs = try root.folder([Layout.runs])
        for run in try runs.folderNames() {
            for job in try runs.folder([run]).folderNames() {
                garbage += try collector.collect([Layout.runs, run, job], in: root) {
                    Layout.isTemporary($0) || Layout.isShard($0)
                }
            }
        }
        return garbage
    }

    /// The time in seconds by the clock of the file system, which may be another machine's.
    @HDF5Actor
    private static func now(in root: borrowing Folder) throws(StoreError) -> Int {
        let probe = try TemporaryFile(for: "clock", in: root)
        try probe.write([0])
        try probe.flush()
        guard let status = try root.status(probe.name) else {
            throw StoreError(.inputOutput, path: root.path, "the file system does not show a file just written.")
        }
        return status.st_mtim.tv_sec
    }
}

/// Finds and removes garbage in one folder at a time.
private struct GarbageCollector {
    let published: Set<String>
    /// The latest modification that garbage may have, in seconds.
    let newest: Int
    let dryRun: Bool

    func collect(
        _ components: [String], in root: borrowing Folder, where isCandidate: (String) -> Bool
    ) throws(StoreError) -> [GarbageFile] {
        let folder = try root.folder(components)
        var garbage: [GarbageFile] = []
        for name in try folder.names() where isCandidate(name) {
            let path = (components + [name]).joined(separator: "/")
            guard !self.published.contains(path), let status = try folder.status(name), status.isFile,
                status.st_mtim.tv_sec <= self.newest
            else { continue }
            if !self.dryRun { try folder.remove(name) }
            garbage.append(GarbageFile(path: path, bytes: Int(status.st_size)))
        }
        return garbage
    }
}

extension Folder {
    /// The names of folders in this one.
    fileprivate func folderNames() throws(StoreError) -> [String] {
        var folders: [String] = []
        for name in try self.names() {
            if let status = try self.status(name), status.isFolder { folders.append(name) }
        }
        return folders
    }
}
