import Glibc
import HDF5

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
