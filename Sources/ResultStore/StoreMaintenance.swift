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

/// What takes how much room in a store.
public struct StoreUsage: Sendable, Hashable {
    /// A run's folder; bytes and counts of files.
    public struct Run: Sendable, Hashable, Encodable {
        public var run: String
        public var results = Amount()
        /// Files over all shards of a job.
        public var jobFiles = Amount()
        /// Temporary files, and what is not Assay's.
        public var others = Amount()

        public init(run: String) {
            self.run = run
        }

        public var bytes: Int { self.results.bytes + self.jobFiles.bytes + self.others.bytes }
    }

    public struct Amount: Sendable, Hashable, Encodable {
        public var files = 0
        public var bytes = 0

        public init(files: Int = 0, bytes: Int = 0) {
            self.files = files
            self.bytes = bytes
        }

        mutating func add(_ status: stat) {
            self.files += 1
            self.bytes += Int(status.st_size)
        }
    }

    /// By their names.
    public var runs: [Run] = []
    public var dataSets: [DataSetFile] = []
    public var reports = Amount()
}

/// A data set's file.
public struct DataSetFile: Sendable, Hashable, Encodable {
    public var sha256: String
    public var bytes: Int
}

extension Store {
    /// Measures the store, or one run's folder and nothing else.
    public func usage(ofRun run: String? = nil) async throws(StoreError) -> StoreUsage {
        var usage = StoreUsage()
        for name in try await self.runNames() where run == nil || run == name {
            // Others may use the thread between two runs.
            await Task.yield()
            usage.runs.append(try await self.usage(of: name))
        }
        guard run == nil else { return usage }
        usage.dataSets = try await self.dataSetFiles()
        usage.reports = try await self.reportUsage()
        return usage
    }

    /// Folders of runs and reports that this user may not write in, as far as the first `limit` tell.
    ///
    /// They were made by another user under a release that followed the umask; new ones are as the folder above them.
    public func unwritableFolders(limit: Int = 1000) async throws(StoreError) -> [String] {
        try await self.findUnwritable(limit)
    }

    @HDF5Actor
    private func findUnwritable(_ limit: Int) throws(StoreError) -> [String] {
        var found: [String] = []
        var left = limit
        for top in [Layout.runs, Layout.reports] where try self.place.folder().status(top)?.isFolder == true {
            let folder = try self.place.folder([top])
            for name in try folder.folderNames() {
                guard left > 0 else { return found }
                left -= 1
                guard folder.isWritable(name) else {
                    found.append("\(top)/\(name)")
                    continue
                }
                guard top == Layout.runs else { continue }
                let run = try folder.folder([name])
                for job in try run.folderNames() where !run.isWritable(job) { found.append("\(top)/\(name)/\(job)") }
            }
        }
        return found
    }

    @HDF5Actor
    private func runNames() throws(StoreError) -> [String] {
        guard try self.place.folder().status(Layout.runs)?.isFolder == true else { return [] }
        return try self.place.folder([Layout.runs]).folderNames().sorted()
    }

    @HDF5Actor
    private func usage(of run: String) throws(StoreError) -> StoreUsage.Run {
        var usage = StoreUsage.Run(run: run)
        for job in try self.place.folder([Layout.runs, run]).folderNames() {
            let folder = try self.place.folder([Layout.runs, run, job])
            for name in try folder.names() {
                guard let status = try folder.status(name), status.isFile else { continue }
                if Layout.isTemporary(name) {
                    usage.others.add(status)
                } else if ShardFileName(run: run, job: job, name: name) != nil {
                    usage.results.add(status)
                } else if Layout.digest(ofJobFile: name) != nil {
                    usage.jobFiles.add(status)
                } else {
                    usage.others.add(status)
                }
            }
        }
        return usage
    }

    @HDF5Actor
    func dataSetFiles() throws(StoreError) -> [DataSetFile] {
        guard try self.place.folder().status(Layout.datasets)?.isFolder == true else { return [] }
        let folder = try self.place.folder([Layout.datasets])
        var files: [DataSetFile] = []
        for name in try folder.names().sorted() {
            guard let sha256 = Layout.sha256(ofDataSet: name), let status = try folder.status(name), status.isFile
            else {
                continue
            }
            files.append(DataSetFile(sha256: sha256, bytes: Int(status.st_size)))
        }
        return files
    }

    @HDF5Actor
    private func reportUsage() throws(StoreError) -> StoreUsage.Amount {
        var usage = StoreUsage.Amount()
        guard try self.place.folder().status(Layout.reports)?.isFolder == true else { return usage }
        for report in try self.place.folder([Layout.reports]).folderNames() {
            for version in try self.place.folder([Layout.reports, report]).folderNames() {
                let folder = try self.place.folder([Layout.reports, report, version])
                for name in try folder.names() {
                    guard let status = try folder.status(name), status.isFile else { continue }
                    usage.add(status)
                }
            }
        }
        return usage
    }
}

extension Folder {
    /// Whether this user may make files in a folder of this one.
    fileprivate func isWritable(_ name: String) -> Bool {
        faccessat(self.descriptor, name, W_OK | X_OK, AT_EACCESS) == 0
    }
}
