import HDF5

extension Store {
    /// Makes the one file over all shards of a job, named by the job's digest, unless it is there.
    ///
    /// `shards` are all shards of the job in the order of their numbers; each is read and verified. Throws `missing` or
    /// `corrupt` for a shard that is not as published, `invalidInput` if they are not one whole job.
    public func buildJobFile(
        runID: String, jobID: String, shards: [PublishedFile]
    ) async throws(StoreError) -> PublishedFile {
        try await self.build(run: runID, job: jobID, shards)
    }

    @HDF5Actor
    private func build(run: String, job: String, _ files: [PublishedFile]) async throws(StoreError) -> PublishedFile {
        let digest = Self.jobDigest(files.map(\.digest))
        let path = try Layout.jobFile(run: run, job: job, digest: digest)
        if let existing = try self.existing(path, digest: digest, shards: files) { return existing }
        var shards: [ShardSummary] = []
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
            shards.append(ShardSummary(file, header: content.header, table: content.table))
        }
        try shards.check(run: run, job: job, folder: path.folder)
        let checked = shards
        let image = try translating(path: path.text) { () throws(HDF5Error) in
            try JobImage.make(checked, digest: digest)
        }
        // The same work may have been published again in other files, so that an older file over them is replaced.
        return try self.publish(image, at: path, digest: digest, replacing: true) { (bytes) throws(StoreError) in
            try Self.manifest(bytes, path: path.text).lists(files)
        }
    }

    /// The job's file if it is there and lists just these shards.
    @HDF5Actor
    private func existing(
        _ path: StorePath, digest: String, shards: [PublishedFile]
    ) throws(StoreError) -> PublishedFile? {
        let folder = try Folder.root(self.root).folder(path.folder)
        guard try folder.status(path.name) != nil else { return nil }
        let bytes = try folder.read(path.name)
        // One that cannot be read is made anew.
        guard let manifest = try? Self.manifest(bytes, path: path.text), manifest.lists(shards) else { return nil }
        return PublishedFile(path: path.text, bytes: bytes.count, sha256: SHA256Text.of(bytes), digest: digest)
    }

    @HDF5Actor
    static func manifest(_ bytes: [UInt8], path: String) throws(StoreError) -> JobManifest {
        try translating(path: path) { () throws(HDF5Error) in try JobManifest(image: bytes, name: path) }
    }
}
