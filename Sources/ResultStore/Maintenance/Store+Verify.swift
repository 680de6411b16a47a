import HDF5

extension Store {
    /// Reads every shard again; empty if each is there with its size, SHA-256 and logical digest.
    public func verifyShards(_ shards: [PublishedFile]) async throws(StoreError) -> [VerificationIssue] {
        try await self.verify(shards)
    }

    /// Verifies a job's shards, its file, and that readers of its file see just what the shards hold.
    ///
    /// A virtual data set shows zeros where a shard is missing, so the job's file alone proves nothing.
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
            if let issue = try self.issue(of: shard) { issues.append(issue) }
        }
        return issues
    }

    @HDF5Actor
    private func verify(
        _ file: PublishedFile, over shards: [PublishedFile]
    ) async throws(StoreError) -> [VerificationIssue] {
        var issues = try await self.verify(shards)
        switch try self.bytes(of: file) {
        case .failure(let issue): issues.append(issue)
        case .success(let bytes):
            do {
                guard try Self.manifest(bytes, path: file.path).lists(shards),
                    file.digest == Self.jobDigest(shards.map(\.digest))
                else {
                    issues.append(
                        .init(.wrongManifest, file, "the job's file is one over other shards; build it again"))
                    break
                }
                if issues.isEmpty { issues += try await self.compare(file, with: shards) }
            } catch {
                issues.append(.init(.unreadable, file, error.message))
            }
        }
        return issues
    }

    /// What is wrong with a shard, if anything.
    @HDF5Actor
    private func issue(of shard: PublishedFile) throws(StoreError) -> VerificationIssue? {
        switch try self.bytes(of: shard) {
        case .failure(let issue): return issue
        case .success(let bytes):
            do {
                let content = try Self.parse(bytes, part: .everything, path: shard.path)
                _ = try content.table.samples(content.header)
                let digest = try Self.digest(content.header, content.table, path: shard.path)
                guard digest != shard.digest else { return nil }
                return .init(.wrongDigest, shard, "its logical digest is \(digest), published was \(shard.digest)")
            } catch {
                return .init(.unreadable, shard, error.message)
            }
        }
    }

    /// The bytes of a file that is as published, or what is wrong.
    @HDF5Actor
    private func bytes(of file: PublishedFile) throws(StoreError) -> Result<[UInt8], VerificationIssue> {
        let bytes: [UInt8]
        do {
            let path = try StorePath(parsing: file.path)
            bytes = try Folder.root(self.root).folder(path.folder).read(path.name)
        } catch {
            switch error.code {
            case .unusableStore: throw error
            case .missing: return .failure(.init(.missing, file, "the file is not there"))
            default: return .failure(.init(.unreadable, file, error.message))
            }
        }
        guard bytes.count == file.bytes else {
            return .failure(
                .init(.wrongSize, file, "the file has \(bytes.count) bytes, published were \(file.bytes)"))
        }
        let sha256 = SHA256Text.of(bytes)
        guard sha256 == file.sha256 else {
            return .failure(
                .init(.wrongSHA256, file, "the file's SHA-256 is \(sha256), published was \(file.sha256)"))
        }
        return .success(bytes)
    }
}

extension VerificationIssue: Error {
    init(_ kind: Kind, _ file: PublishedFile, _ message: String) {
        self.init(kind: kind, path: file.path, message: message)
    }
}
