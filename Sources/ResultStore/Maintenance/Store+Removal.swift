import Glibc
import HDF5

extension Store {
    /// Removes a job's results and the files over them; answers what was removed.
    ///
    /// To be called when no row of a database names them any more. What is not Assay's stays.
    public func removeResults(run: String, job: String) async throws(StoreError) -> [GarbageFile] {
        var removed: [GarbageFile] = []
        let names = try await self.resultNames(run, job)
        for start in stride(from: 0, to: names.count, by: Self.garbageSlice) {
            // Others may use the thread between two slices.
            await Task.yield()
            removed += try await self.remove(
                names[start..<min(start + Self.garbageSlice, names.count)], run: run, job: job)
        }
        try await self.removeFolder(run, job)
        return removed
    }

    @HDF5Actor
    private func resultNames(_ run: String, _ job: String) throws(StoreError) -> [String] {
        do {
            return try self.place.folder(try Layout.job(run: run, job: job)).names().filter {
                Layout.isTemporary($0) || Layout.digest(ofJobFile: $0) != nil
                    || ShardFileName(run: run, job: job, name: $0) != nil
            }
        } catch  where error.code == .missing {
            return []
        }
    }

    @HDF5Actor
    private func remove(
        _ names: ArraySlice<String>, run: String, job: String
    ) throws(StoreError) -> [GarbageFile] {
        try self.place.check()
        let components = try Layout.job(run: run, job: job)
        let folder = try self.place.folder(components)
        var removed: [GarbageFile] = []
        for name in names {
            guard let status = try folder.status(name), status.isFile else { continue }
            try folder.remove(name)
            removed.append(
                GarbageFile(path: (components + [name]).joined(separator: "/"), bytes: Int(status.st_size)))
        }
        return removed
    }

    /// Removes a job's folder and its run's, if they are empty.
    @HDF5Actor
    private func removeFolder(_ run: String, _ job: String) throws(StoreError) {
        do {
            try self.place.folder([Layout.runs, run]).removeFolder(job)
            try self.place.folder([Layout.runs]).removeFolder(run)
        } catch  where error.code == .missing {
            // There was nothing.
        }
    }

    // MARK: Data sets

    /// Whether a data set of this name is there; its content is not looked at.
    public func hasDataSet(sha256: String) async throws(StoreError) -> Bool {
        try await self.findDataSet(sha256)
    }

    /// Removes data sets that nothing names; answers what was, or with `dryRun` would be, removed.
    ///
    /// `named` answers the SHA-256 of all that are needed, and is asked again after each was put aside and before it is
    /// removed: one that was named meanwhile is put back. A process that names one must check afterwards that it is there.
    /// Nothing younger than `age` is touched, by the time when it was imported last. What an earlier call put aside and did
    /// not decide on, because it failed or died, gets its name back first.
    public func collectDataSets(
        olderThan age: Duration, dryRun: Bool, named: () async throws -> Set<String>
    ) async throws -> [GarbageFile] {
        if !dryRun { try await self.putBackDataSets() }
        let newest = try await self.now() - age
        let needed = try await named()
        let unused = try await self.dataSetFiles().filter { !needed.contains($0.sha256) }
        let old = try await self.aged(unused.map(\.sha256), newest: newest)
        guard !dryRun, !old.isEmpty else { return old.map(\.file) }
        let late: Set<String>
        do {
            try await self.putAside(old.map(\.sha256))
            late = try await named()
        } catch {
            try await self.finish(old.map(\.sha256), putBack: nil)
            throw error
        }
        try await self.finish(old.map(\.sha256), putBack: late)
        return old.filter { !late.contains($0.sha256) }.map(\.file)
    }

    /// Gives data sets that were put aside their names back.
    ///
    /// Beside a collection that is under way it does no harm: what that one then finds gone stays until the next.
    @HDF5Actor
    func putBackDataSets() throws(StoreError) {
        guard try self.place.folder().status(Layout.datasets)?.isFolder == true else { return }
        let folder = try self.place.folder([Layout.datasets])
        let aside = try folder.names().compactMap(Layout.sha256(ofDataSetAside:))
        guard !aside.isEmpty else { return }
        try self.place.check()
        for sha256 in aside { try self.putBack(sha256, in: folder) }
        try folder.flush()
    }

    @HDF5Actor
    func putBack(_ sha256: String, in folder: borrowing Folder) throws(StoreError) {
        let (name, aside) = (try Layout.dataSet(sha256).name, Layout.dataSetAside(sha256))
        // It may have been imported again meanwhile.
        if try folder.status(name) == nil { try folder.rename(aside, to: name) } else { try folder.remove(aside) }
    }

    private struct Unused: Sendable {
        var sha256: String
        var file: GarbageFile
    }

    @HDF5Actor
    private func findDataSet(_ sha256: String) throws(StoreError) -> Bool {
        let path = try Layout.dataSet(sha256)
        return try self.place.folder(path.folder).status(path.name)?.isFile == true
    }

    @HDF5Actor
    private func aged(_ hashes: [String], newest: Duration) throws(StoreError) -> [Unused] {
        guard !hashes.isEmpty else { return [] }
        let folder = try self.place.folder([Layout.datasets])
        var unused: [Unused] = []
        for sha256 in hashes {
            let path = try Layout.dataSet(sha256)
            guard let status = try folder.status(path.name), status.modified <= newest else { continue }
            unused.append(Unused(sha256: sha256, file: GarbageFile(path: path.text, bytes: Int(status.st_size))))
        }
        return unused
    }

    @HDF5Actor
    private func putAside(_ hashes: [String]) throws(StoreError) {
        try self.place.check()
        let folder = try self.place.folder([Layout.datasets])
        for sha256 in hashes { try folder.rename(try Layout.dataSet(sha256).name, to: Layout.dataSetAside(sha256)) }
    }

    /// Removes what was put aside but for those to be put back; nil: all are.
    @HDF5Actor
    private func finish(_ hashes: [String], putBack: Set<String>?) throws(StoreError) {
        let folder = try self.place.folder([Layout.datasets])
        var failure: StoreError?
        for sha256 in hashes {
            do throws(StoreError) {
                if putBack?.contains(sha256) ?? true {
                    try self.putBack(sha256, in: folder)
                } else {
                    try folder.remove(Layout.dataSetAside(sha256))
                }
            } catch {
                // The others are not to go without their names because of this one.
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        try folder.flush()
    }
}
