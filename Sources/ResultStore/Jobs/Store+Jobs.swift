import Glibc
import HDF5

extension Store {
    /// Makes the one file over all shards of a job, named by the job's digest, unless it is there.
    ///
    /// `shards` are all shards of the job in the order of their numbers; each is read and verified, or, where the file is
    /// there, looked for with its size. Throws `missing` or `corrupt` for a shard that is not as published,
    /// `invalidInput` if they are not one whole job. The shards pass through memory one by one.
    public func buildJobFile(
        runID: String, jobID: String, shards: [PublishedFile]
    ) async throws(StoreError) -> PublishedFile {
        try await self.build(run: runID, job: jobID, shards)
    }

    /// Whether a file over all shards of a job is there, whatever is in it.
    @HDF5Actor
    public func hasJobFile(runID: String, jobID: String, shards: [PublishedFile]) throws(StoreError) -> Bool {
        let path = try Layout.jobFile(run: runID, job: jobID, digest: Self.jobDigest(shards.map(\.digest)))
        return try self.place.folder(path.folder).status(path.name) != nil
    }

    @HDF5Actor
    private func build(run: String, job: String, _ files: [PublishedFile]) async throws(StoreError) -> PublishedFile {
        let digest = Self.jobDigest(files.map(\.digest))
        let path = try Layout.jobFile(run: run, job: job, digest: digest)
        if let existing = try self.existing(path, digest: digest, shards: files) { return existing }
        var layout = JobLayout(run: run, job: job)
        for file in files {
            // Others may use the thread between two shards.
            await Task.yield()
            let content = try self.read(file.path, sha256: file.sha256, part: .everything)
            let found = try Self.digest(content.header, content.table, path: file.path)
            guard found == file.digest else {
                throw StoreError(
                    .corrupt, path: file.path, "the shard's logical digest is \(found), published was \(file.digest).")
            }
            // Decoding checks every offset before they are joined.
            _ = try content.table.samples(content.header)
            try layout.add(file, content.header, content.table)
        }
        try self.place.check()
        let folder = try self.place.folder(path.folder, create: true)
        let temporary = try TemporaryFile(for: path.name, in: folder)
        try await self.write(layout, of: files, digest: digest, to: temporary.descriptor, path: path.text)
        try temporary.flush()
        let written = try folder.sha256(temporary.name)
        guard
            try Self.manifest(temporary.descriptor, byteCount: written.bytes, path: path.text).lists(
                files, in: path.folder)
        else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(temporary.name)",
                "what was written reads back differently; nothing was kept. Check the disk and the file system.")
        }
        // The same work may have been published again in other files, so that an older file over them is replaced.
        try self.place.commit(temporary, as: path.name, in: folder)
        return PublishedFile(path: path.text, bytes: written.bytes, sha256: written.sha256, digest: digest)
    }

    @HDF5Actor
    private func write(
        _ layout: JobLayout, of files: [PublishedFile], digest: String, to descriptor: Int32, path: String
    ) async throws(StoreError) {
        let (header, schema) = try layout.complete()
        let file = try translating(path: path) { () throws(HDF5Error) in
            let file = try File.create(descriptor: descriptor, name: "job \(header.jobID)")
            try JobImage.writeFrame(layout, digest: digest, into: file)
            return file
        }
        var joiner = ShardJoiner(layout, schema)
        for shard in files {
            await Task.yield()
            let content = try self.read(shard.path, sha256: shard.sha256, part: .copied)
            try translating(path: path) { () throws(HDF5Error) in
                try joiner.add(content.table, rowCount: content.header.rowCount) {
                    (column, rows, bytes) throws(HDF5Error) in
                    try Self.write(bytes, to: column, rows: rows, of: file)
                }
                // A full disk is noticed here and not after hours of joining.
                try file.checkWrites()
            }
        }
        try translating(path: path) { () throws(HDF5Error) in
            try joiner.finish { (column, rows, bytes) throws(HDF5Error) in
                try Self.write(bytes, to: column, rows: rows, of: file)
            }
            try JobImage.complete(file)
        }
        do {
            try file.close()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    @HDF5Actor
    private static func write(
        _ bytes: [UInt8], to column: ColumnSpecification, rows: Range<Int>, of file: borrowing File
    ) throws(HDF5Error) {
        let dataSet = try file.root().group(at: column.groups).dataSet(column.name, isBeingWritten: true)
        try dataSet.writeBytes(bytes, rows: rows)
    }

    /// The job's file if it is there, lists just these shards, and they are there too.
    @HDF5Actor
    private func existing(
        _ path: StorePath, digest: String, shards: [PublishedFile]
    ) throws(StoreError) -> PublishedFile? {
        let folder: Folder
        do {
            folder = try self.place.folder(path.folder)
        } catch  where error.code == .missing {
            // Whether a result is lost is told where the shards are read.
            return nil
        }
        guard try folder.status(path.name) != nil else { return nil }
        // One that cannot be read is made again.
        guard let manifest = try? self.manifest(of: path), manifest.lists(shards, in: path.folder) else { return nil }
        for shard in shards { try folder.check(shard) }
        guard self.place.isDurable(path.name, in: folder) else { return nil }
        let found = try folder.sha256(path.name)
        return PublishedFile(path: path.text, bytes: found.bytes, sha256: found.sha256, digest: digest)
    }

    /// The list of shards in a job's file; throws `malformed` if it is no complete one of this version.
    @HDF5Actor
    func manifest(of path: StorePath) throws(StoreError) -> JobManifest {
        let file = try OpenFile(in: try self.place.folder(path.folder), name: path.name)
        return try Self.manifest(file.descriptor, byteCount: file.byteCount, path: path.text)
    }

    @HDF5Actor
    private static func manifest(
        _ descriptor: Int32, byteCount: Int, path: String
    ) throws(StoreError) -> JobManifest {
        try translating(path: path) { () throws(HDF5Error) in
            try JobManifest(descriptor: descriptor, byteCount: byteCount, name: path)
        }
    }
}

extension Folder {
    /// Throws `missing` or `corrupt` unless a published file of this folder is there with its size.
    fileprivate func check(_ file: PublishedFile) throws(StoreError) {
        let name = try StorePath(parsing: file.path).name
        guard let status = try self.status(name) else {
            throw StoreError(
                .missing, path: file.path, "the file is not there, although it was published.")
        }
        guard status.isFile, Int(status.st_size) == file.bytes else {
            throw StoreError(
                .corrupt, path: file.path,
                "the file has \(status.st_size) bytes, published were \(file.bytes).")
        }
    }
}
