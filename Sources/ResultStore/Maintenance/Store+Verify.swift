import HDF5

extension Store {
    /// Reads every shard again; empty if each is there with its size, SHA-256 and logical digest.
    public func verifyShards(_ shards: [PublishedFile]) async throws(StoreError) -> [VerificationIssue] {
        try await self.verify(shards)
    }

    /// Verifies a job's shards, its file, and that readers of its file see just what the shards hold.
    public func verifyJobFile(
        _ file: PublishedFile, shards: [PublishedFile]
    ) async throws(StoreError) -> [VerificationIssue] {
        try await self.verify(file, over: shards)
    }

    @HDF5Actor
    private func verify(_ shards: [PublishedFile]) async throws(StoreError) -> [VerificationIssue] {
        var issues: [VerificationIssue] = []
        for shard in shards {
            // Others may use the thread between two shards.
            await Task.yield()
            if case .failure(let issue) = try self.content(of: shard) { issues.append(issue) }
        }
        return issues
    }

    @HDF5Actor
    private func verify(
        _ file: PublishedFile, over shards: [PublishedFile]
    ) async throws(StoreError) -> [VerificationIssue] {
        let path = try StorePath(parsing: file.path)
        var issues: [VerificationIssue] = []
        var layout = JobLayout(run: path.folder.dropLast().last ?? "", job: path.folder.last ?? "")
        for shard in shards {
            await Task.yield()
            switch try self.content(of: shard) {
            case .failure(let issue): issues.append(issue)
            case .success(let content):
                // After a bad shard the rest cannot be joined.
                if issues.isEmpty { try layout.add(shard, content.header, content.table) }
            }
        }
        if let issue = try self.issue(of: file) { return issues + [issue] }
        do {
            guard try self.manifest(of: path).lists(shards), file.digest == Self.jobDigest(shards.map(\.digest)) else {
                return issues + [.init(.wrongManifest, file, "the job's file is one over other shards; build it again")]
            }
            if issues.isEmpty { issues += try await self.compare(file, with: shards, layout) }
        } catch {
            issues.append(.init(.unreadable, file, error.message))
        }
        return issues
    }

    /// A shard that is as published, or what is wrong with it.
    @HDF5Actor
    private func content(
        of shard: PublishedFile
    ) throws(StoreError) -> Result<(header: ShardHeader, table: ColumnTable), VerificationIssue> {
        switch try self.bytes(of: shard) {
        case .failure(let issue): return .failure(issue)
        case .success(let bytes):
            do {
                let content = try Self.parse(bytes, part: .everything, path: shard.path)
                _ = try content.table.samples(content.header)
                let digest = try Self.digest(content.header, content.table, path: shard.path)
                guard digest == shard.digest else {
                    return .failure(
                        .init(.wrongDigest, shard, "its logical digest is \(digest), published was \(shard.digest)"))
                }
                return .success(content)
            } catch {
                return .failure(.init(.unreadable, shard, error.message))
            }
        }
    }

    /// What is wrong with a file's size or hash, if anything; files of any length are read in parts.
    @HDF5Actor
    private func issue(of file: PublishedFile) throws(StoreError) -> VerificationIssue? {
        let found: (bytes: Int, sha256: String)
        do {
            let path = try StorePath(parsing: file.path)
            found = try self.place.folder(path.folder).sha256(path.name)
        } catch {
            return try Self.issue(error, of: file)
        }
        return Self.issue(bytes: found.bytes, sha256: found.sha256, of: file)
    }

    /// The bytes of a file that is as published, or what is wrong.
    @HDF5Actor
    private func bytes(of file: PublishedFile) throws(StoreError) -> Result<[UInt8], VerificationIssue> {
        let bytes: [UInt8]
        do {
            let path = try StorePath(parsing: file.path)
            bytes = try self.place.folder(path.folder).read(path.name)
        } catch {
            return .failure(try Self.issue(error, of: file))
        }
        if let issue = Self.issue(bytes: bytes.count, sha256: SHA256Text.of(bytes), of: file) {
            return .failure(issue)
        }
        return .success(bytes)
    }

    /// Why a file could not be read; throws the error if it is the store's.
    private static func issue(_ error: StoreError, of file: PublishedFile) throws(StoreError) -> VerificationIssue {
        switch error.code {
        case .unavailableStore: throw error
        case .unusableStore, .inputOutput, .noSpace: .init(.inaccessible, file, "it can't be read: \(error.message)")
        case .missing: .init(.missing, file, "the file is not there")
        default: .init(.unreadable, file, error.message)
        }
    }

    private static func issue(bytes: Int, sha256: String, of file: PublishedFile) -> VerificationIssue? {
        guard bytes == file.bytes else {
            return .init(.wrongSize, file, "the file has \(bytes) bytes, published were \(file.bytes)")
        }
        guard sha256 == file.sha256 else {
            return .init(.wrongSHA256, file, "the file's SHA-256 is \(sha256), published was \(file.sha256)")
        }
        return nil
    }
}

extension VerificationIssue: Error {
    init(_ kind: Kind, _ file: PublishedFile, _ message: String) {
        self.init(kind: kind, path: file.path, message: message)
    }
}
