public import Evaluation

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.UUID
#else
public import struct Foundation.UUID
#endif

// The signatures that follow the types; bodies come with the next commits, in files of their own.
extension Store {
    public init(root: String, access: Access = .readWrite) async throws(StoreError) {
        self.root = root
        throw Self.comesNext
    }

    /// Copies a data set into the store once, named by its SHA-256, and returns that.
    public func importDataSet(bytes: [UInt8]) async throws(StoreError) -> String { throw Self.comesNext }
    /// Copies the file at `path` (relative to the working folder or absolute).
    public func importDataSet(file path: String) async throws(StoreError) -> String { throw Self.comesNext }
    /// The bytes of a data set, verified.
    public func dataSet(sha256: String) async throws(StoreError) -> [UInt8] { throw Self.comesNext }
    /// The absolute path for people and tools.
    public func absolutePath(_ relative: String) throws(StoreError) -> String { throw Self.comesNext }

    public func publishShard(
        _ header: ShardHeader, samples: [SampleResult], epoch: Int, incarnation: UUID
    ) async throws(StoreError) -> PublishedFile { throw Self.comesNext }

    public func readShard(_ path: String, sha256: String) async throws(StoreError) -> Shard { throw Self.comesNext }
    public func readSamples(_ path: String, sha256: String) async throws(StoreError) -> SampleTable {
        throw Self.comesNext
    }

    /// The digest of a job from its shards' digests in the order of shard numbers.
    public static func jobDigest(_ shardDigests: [String]) -> String { "" }
    /// Idempotent; `shards` in any order.
    public func buildJobFile(
        runID: String, jobID: String, shards: [PublishedFile]
    ) async throws(StoreError) -> PublishedFile { throw Self.comesNext }

    /// Empty if every file is there with its size, SHA-256 and logical digest.
    public func verifyShards(_ shards: [PublishedFile]) async throws(StoreError) -> [VerificationIssue] {
        throw Self.comesNext
    }
    /// Verifies the shards, the job file and that the job file's virtual data sets show exactly these shards.
    public func verifyJobFile(
        _ file: PublishedFile, shards: [PublishedFile]
    ) async throws(StoreError) -> [VerificationIssue] { throw Self.comesNext }

    /// Removes shard and temporary files that no row names; returns what was (or would be) removed.
    public func collectGarbage(
        published: Set<String>, olderThan age: Duration = .seconds(24 * 3600), dryRun: Bool
    ) async throws(StoreError) -> [GarbageFile] { throw Self.comesNext }

    /// The versions of a report, ascending.
    public func reportVersions(_ name: String) async throws(StoreError) -> [Int] { throw Self.comesNext }
    /// One file of a report's version.
    public func reportFile(_ name: String, version: Int, file: String) async throws(StoreError) -> [UInt8] {
        throw Self.comesNext
    }
    /// Makes reports/<name>/v<version>/ with all files at once; `conflict` if that version is there. Returns the folder's relative path.
    public func publishReport(
        _ name: String, version: Int, files: [String: [UInt8]]
    ) async throws(StoreError) -> String { throw Self.comesNext }

    private static var comesNext: StoreError { StoreError(.inputOutput, path: "", "comes with the next commit") }
}

/// One thing that is not as published.
public struct VerificationIssue: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case missing, wrongSize, wrongSHA256, wrongDigest, unreadable, wrongManifest
    }
    public var kind: Kind
    public var path: String
    public var message: String
}

/// A file that no row names.
public struct GarbageFile: Sendable, Hashable {
    public var path: String
    public var bytes: Int
}
