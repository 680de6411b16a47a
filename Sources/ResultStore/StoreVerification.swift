internal import Crypto
internal import Files
import HDF5

extension Store {
    /// Reads shards of a job again, given by their numbers; empty if each is there with its size, SHA-256 and logical
    /// digest, and is this shard of this job by its place, its name and what is in it.
    public func verifyShards(
        _ shards: [Int: PublishedFile], runID: String, jobID: String
    ) async throws(StoreError) -> [VerificationIssue] {
        try await self.verify(shards, run: runID, job: jobID)
    }

    /// Verifies a job's shards, its file, and that readers of its file see just what the shards hold.
    public func verifyJobFile(
        _ file: PublishedFile, shards: [PublishedFile]
    ) async throws(StoreError) -> [VerificationIssue] {
        try await self.verify(file, over: shards)
    }

    @HDF5Actor
    private func verify(
        _ shards: [Int: PublishedFile], run: String, job: String
    ) async throws(StoreError) -> [VerificationIssue] {
        var issues: [VerificationIssue] = []
        for (index, file) in shards.sorted(by: { $0.key < $1.key }) {
            // Others may use the thread between two shards.
            await Task.yield()
            let shard = ExpectedShard(run: run, job: job, index: index)
            if case .failure(let issue) = try self.content(of: file, as: shard) { issues.append(issue) }
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
        for (index, shard) in shards.enumerated() {
            await Task.yield()
            switch try self.content(of: shard, as: ExpectedShard(run: layout.run, job: layout.job, index: index)) {
            case .failure(let issue): issues.append(issue)
            case .success(let content):
                // After a bad shard the rest cannot be joined.
                if issues.isEmpty { try layout.add(shard, content.header, content.table) }
            }
        }
        if let issue = try self.issue(of: file) { return issues + [issue] }
        do {
            guard try self.manifest(of: path).lists(shards, in: path.folder),
                file.digest == Self.jobDigest(shards.map(\.digest))
            else {
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
        of file: PublishedFile, as shard: ExpectedShard
    ) throws(StoreError) -> Result<(header: ShardHeader, table: ColumnTable), VerificationIssue> {
        // A file of another job may be as published, too: that is the other one's.
        guard shard.isNamed(by: file.path) else {
            return .failure(.init(.foreign, file, "this is no file of \(shard)", shard: shard.index))
        }
        switch try self.bytes(of: file, as: shard) {
        case .failure(let issue): return .failure(issue)
        case .success(let bytes):
            do {
                let content = try Self.parse(bytes, part: .everything, path: file.path)
                _ = try content.table.samples(content.header)
                let digest = try Self.digest(content.header, content.table, path: file.path)
                guard digest == file.digest else {
                    return .failure(
                        .init(
                            .wrongDigest, file, "its logical digest is \(digest), published was \(file.digest)",
                            shard: shard.index))
                }
                let found = ExpectedShard(content.header)
                guard found == shard else {
                    return .failure(
                        .init(.foreign, file, "what is in it is \(found), not \(shard)", shard: shard.index))
                }
                return .success(content)
            } catch {
                return .failure(.init(.unreadable, file, error.message, shard: shard.index))
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
            return try Self.issue(error, of: file, shard: nil)
        }
        return Self.issue(bytes: found.bytes, sha256: found.sha256, of: file, shard: nil)
    }

    /// The bytes of a file that is as published, or what is wrong.
    @HDF5Actor
    private func bytes(
        of file: PublishedFile, as shard: ExpectedShard
    ) throws(StoreError) -> Result<[UInt8], VerificationIssue> {
        let bytes: [UInt8]
        do {
            let path = try StorePath(parsing: file.path)
            bytes = try self.place.folder(path.folder).read(path.name)
        } catch {
            return .failure(try Self.issue(error, of: file, shard: shard.index))
        }
        if let issue = Self.issue(
            bytes: bytes.count, sha256: SHA256.text(of: bytes), of: file, shard: shard.index)
        {
            return .failure(issue)
        }
        return .success(bytes)
    }

    /// Why a file could not be read; throws the error if it is the store's.
    private static func issue(
        _ error: StoreError, of file: PublishedFile, shard: Int?
    ) throws(StoreError) -> VerificationIssue {
        switch error.code {
        case .unavailableStore: throw error
        case .unusableStore, .inputOutput, .noSpace:
            return .init(.inaccessible, file, "it can't be read: \(error.message)", shard: shard)
        case .missing:
            let isAlone = error.path.hasSuffix(file.path)
            return .init(
                .missing, file, "the file is not there\(isAlone ? "" : ", nor is the folder \(error.path)")",
                shard: shard)
        default: return .init(.unreadable, file, error.message, shard: shard)
        }
    }

    private static func issue(
        bytes: Int, sha256: String, of file: PublishedFile, shard: Int?
    ) -> VerificationIssue? {
        guard bytes == file.bytes else {
            return .init(
                .wrongSize, file, "the file has \(bytes) bytes, published were \(file.bytes)", shard: shard)
        }
        guard sha256 == file.sha256 else {
            return .init(
                .wrongSHA256, file, "the file's SHA-256 is \(sha256), published was \(file.sha256)", shard: shard)
        }
        return nil
    }
}

/// The shard whose result a file is to be.
private struct ExpectedShard: Equatable, CustomStringConvertible {
    var run: String
    var job: String
    var index: Int

    init(run: String, job: String, index: Int) {
        self.run = run
        self.job = job
        self.index = index
    }

    init(_ header: ShardHeader) {
        self.init(run: header.runID, job: header.jobID, index: header.shardIndex)
    }

    /// Whether a file's path is one that the shard's results have.
    func isNamed(by path: String) -> Bool {
        guard let name = (try? StorePath(parsing: path)).flatMap({ ShardFileName($0) }) else { return false }
        return Self(run: name.run, job: name.job, index: name.shard) == self
    }

    var description: String { "shard \(self.index) of job \(self.job) of run \(self.run)" }
}

extension VerificationIssue: Error {
    init(_ kind: Kind, _ file: PublishedFile, _ message: String, shard: Int? = nil) {
        self.init(kind: kind, path: file.path, shard: shard, message: message)
    }
}

/// One thing in the store that is not as published.
public struct VerificationIssue: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case missing, wrongSize, wrongSHA256, wrongDigest, unreadable, wrongManifest, wrongContent
        /// It is another job's result, or another shard's.
        case foreign
        /// Reading failed, which says nothing about what is in the file.
        case inaccessible
    }

    public var kind: Kind
    /// Relative to the store's root.
    public var path: String
    /// The number of the shard whose result it should be; nil for a job's file.
    public var shard: Int?
    /// What is wrong.
    public var message: String
}
