import Glibc
import HDF5

extension Store {
    /// So many files of a folder are looked at, asked about and removed together.
    static let garbageSlice = 1000

    /// Removes results that can never be committed, and what dead writers left; returns what was, or with `dryRun`
    /// would be, removed.
    ///
    /// `deadClaims` is asked, for a bounded number of files of one job at a time, which claims can never commit a result any
    /// more; a file goes only if its claim is among them. Because it is asked after the files were seen, a result that is
    /// committed meanwhile stays. `jobDigest` is asked for jobs of which several files over all shards are there: those
    /// of another digest are superseded and go; with nil all stay. Nothing younger than `age` by the file system's own
    /// clock is touched. Temporary files of no shard (copies of data sets, job files) have no claim: for them `age`
    /// alone counts, so it must exceed the longest time that writing one takes. Data sets that a collection put aside and
    /// did not live to decide on get their names back. No link is followed. Anything else in the store stays.
    public func collectGarbage(
        olderThan age: Duration = .seconds(3600), dryRun: Bool,
        jobDigest: (_ run: String, _ job: String) async throws -> String? = { _, _ in nil },
        deadClaims: (Set<ShardFileName>) async throws -> Set<ShardFileName>
    ) async throws -> [GarbageFile] {
        let newest = try await self.now() - age
        if !dryRun { try await self.putBackDataSets() }
        var garbage: [GarbageFile] = []
        for folder in try await self.garbageFolders() {
            let names = try await self.names(in: folder)
            for start in stride(from: 0, to: names.count, by: Self.garbageSlice) {
                let slice = names[start..<min(start + Self.garbageSlice, names.count)]
                let candidates = try await self.candidates(slice, in: folder, newest: newest)
                let claims = Set(candidates.compactMap(\.claim))
                let dead = claims.isEmpty ? [] : try await deadClaims(claims)
                let found = candidates.filter { $0.claim.map { dead.contains($0) } ?? true }
                if !dryRun, !found.isEmpty { try await self.remove(found.map(\.name), in: folder) }
                garbage += found.map(\.file)
            }
            let jobFiles = names.filter { Layout.digest(ofJobFile: $0) != nil }
            guard folder.count == 3, jobFiles.count > 1, let digest = try await jobDigest(folder[1], folder[2]) else {
                continue
            }
            let superseded = try await self.files(
                jobFiles.filter { Layout.digest(ofJobFile: $0) != digest }, in: folder, newest: newest)
            if !dryRun, !superseded.isEmpty { try await self.remove(superseded.map(\.name), in: folder) }
            garbage += superseded.map(\.file)
        }
        return garbage
    }

    /// The time since 1970 by the clock of the file system, which may be another machine's.
    ///
    /// Needs no room: garbage is collected above all when the disk is full.
    @HDF5Actor
    func now() throws(StoreError) -> Duration {
        try self.place.check()
        let root = try self.place.folder()
        guard futimens(root.descriptor, nil) == 0 else {
            throw .system(errno, "asking the file system for the time", path: root.path)
        }
        return try root.modified
    }

    /// The folders in which garbage may lie: the root, those in it, and every job's.
    @HDF5Actor
    private func garbageFolders() throws(StoreError) -> [[String]] {
        let root = try self.place.folder()
        var folders: [[String]] = [[]]
        for name in [Layout.datasets, Layout.runs, Layout.reports] where try root.status(name)?.isFolder == true {
            folders.append([name])
        }
        guard try root.status(Layout.runs)?.isFolder == true else { return folders }
        for run in try root.folder([Layout.runs]).folderNames() {
            for job in try root.folder([Layout.runs, run]).folderNames() {
                folders.append([Layout.runs, run, job])
            }
        }
        return folders
    }

    @HDF5Actor
    private func names(in components: [String]) throws(StoreError) -> [String] {
        try self.place.folder(components).names()
    }

    @HDF5Actor
    private func candidates(
        _ names: ArraySlice<String>, in components: [String], newest: Duration
    ) throws(StoreError) -> [GarbageCandidate] {
        var claims: [String: ShardFileName] = [:]
        for name in names where components.count == 3 {
            claims[name] = ShardFileName(run: components[1], job: components[2], name: name)
        }
        // Where results and reports lie in folders of their own, only the probes of processes that died at their start.
        let onlyProbes = components == [Layout.runs] || components == [Layout.reports]
        let asked = names.filter {
            claims[$0] != nil
                // A data set that was put aside may be needed: it gets its name back.
                || (onlyProbes
                    ? Layout.isProbe($0) : Layout.isTemporary($0) && Layout.sha256(ofDataSetAside: $0) == nil)
        }
        return try self.files(asked, in: components, newest: newest).map { file in
            var file = file
            file.claim = claims[file.name]
            return file
        }
    }

    /// Those of the names that are regular files and old enough.
    @HDF5Actor
    private func files(
        _ names: [String], in components: [String], newest: Duration
    ) throws(StoreError) -> [GarbageCandidate] {
        let folder = try self.place.folder(components)
        var files: [GarbageCandidate] = []
        for name in names {
            guard let status = try folder.status(name), status.isFile, status.modified <= newest else { continue }
            let path = (components + [name]).joined(separator: "/")
            files.append(
                GarbageCandidate(file: GarbageFile(path: path, bytes: Int(status.st_size)), name: name, claim: nil))
        }
        return files
    }

    @HDF5Actor
    private func remove(_ names: [String], in components: [String]) throws(StoreError) {
        try self.place.check()
        let folder = try self.place.folder(components)
        for name in names { try folder.remove(name) }
    }
}

extension Folder {
    /// The names of folders in this one.
    func folderNames() throws(StoreError) -> [String] {
        var folders: [String] = []
        for name in try self.names() {
            if let status = try self.status(name), status.isFolder { folders.append(name) }
        }
        return folders
    }

    fileprivate var modified: Duration {
        get throws(StoreError) {
            var status = stat()
            guard fstat(self.descriptor, &status) == 0 else {
                throw .system(errno, "looking at the folder", path: self.path)
            }
            return status.modified
        }
    }
}

extension stat {
    var modified: Duration {
        .seconds(self.st_mtim.tv_sec) + .nanoseconds(self.st_mtim.tv_nsec)
    }
}
