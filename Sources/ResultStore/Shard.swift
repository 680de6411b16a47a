public import Evaluation
import HDF5

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.UUID
#else
public import struct Foundation.UUID
#endif

/// A shard as read from its file, with everything in it.
public struct Shard: Sendable {
    public var header: ShardHeader
    /// In the data set's order; choices and tokens are empty where the logits mode does not keep them.
    public var samples: [SampleResult]
    /// The logical digest computed from what was read.
    public var digest: String
}

/// The columns of a shard's /samples, for reports: no texts, choices or tokens.
public struct SampleTable: Sendable {
    /// One metric's values, one per sample.
    public struct Metric: Sendable, Hashable {
        public var name: String
        public var values: [Double]
        /// One per sample; all 1 for means over samples.
        public var weights: [Double]
        /// What the metric's terms are called; none for most metrics.
        public var termNames: [String]
        /// Term after term, one value per sample.
        public var terms: [[Double]]
    }

    public var header: ShardHeader
    public var sampleIDs: [String]
    public var rows: [Int]
    public var targets: [String]
    /// What samples have in common; `nil` where the task names no cluster key.
    public var clusters: [String]?
    public var predictions: [String]
    /// In the task's order.
    public var metrics: [Metric]
    public var finishReasons: [FinishReason?]
    public var promptTokens: [Int]
    public var generatedTokens: [Int]
    public var isTruncated: [Bool]
    public var isUnparsed: [Bool]
}

extension Store {
    /// Writes a shard's file, so that it stands under its name complete, flushed and verified, or not at all.
    ///
    /// A file of this shard, epoch and incarnation that is there already is returned if it is the same. Throws
    /// `noSpace`, `invalidInput` (also for names of metrics that `MetricName` refuses), `conflict` if a different
    /// file is there, and `corrupt` if what was written reads back differently.
    public func publishShard(
        _ header: ShardHeader, samples: [SampleResult], epoch: Int, incarnation: UUID
    ) async throws(StoreError) -> PublishedFile {
        try await self.publish(header, samples, epoch: epoch, incarnation: incarnation)
    }

    /// Reads a published shard, whose bytes must have this SHA-256.
    ///
    /// The file may come from anybody: what is not exactly a shard gives `malformed`, other bytes give `corrupt`.
    public func readShard(_ path: String, sha256: String) async throws(StoreError) -> Shard {
        try await self.shard(path, sha256: sha256)
    }

    /// Reads only the columns of a published shard's /samples.
    public func readSamples(_ path: String, sha256: String) async throws(StoreError) -> SampleTable {
        try await self.samples(path, sha256: sha256)
    }

    @HDF5Actor
    private func publish(
        _ header: ShardHeader, _ samples: [SampleResult], epoch: Int, incarnation: UUID
    ) throws(StoreError) -> PublishedFile {
        let path = try Layout.shard(header, epoch: epoch, incarnation: incarnation)
        try header.check(samples: samples.count)
        let table = try ColumnTable(samples, logitsMode: header.logitsMode)
        var header = header
        header.schemaVersion = header.version(of: table.schema)
        let digest = try Self.digest(header, table, path: path.text)
        let image = try translating(path: path.text) { () throws(HDF5Error) in try ShardImage.make(header, table) }
        return try self.publish(image, at: path, digest: digest) { (bytes) throws(StoreError) in
            let written = try Self.parse(bytes, part: .everything, path: path.text)
            return try Self.digest(written.header, written.table, path: path.text) == digest
                && written.header == header
        }
    }

    @HDF5Actor
    private func shard(_ path: String, sha256: String) throws(StoreError) -> Shard {
        let content = try self.read(path, sha256: sha256, part: .everything)
        let digest = try Self.digest(content.header, content.table, path: path)
        return Shard(header: content.header, samples: try content.table.samples(content.header), digest: digest)
    }

    @HDF5Actor
    private func samples(_ path: String, sha256: String) throws(StoreError) -> SampleTable {
        let content = try self.read(path, sha256: sha256, part: .samples)
        return try content.table.sampleTable(content.header)
    }

    @HDF5Actor
    func read(
        _ path: String, sha256: String, part: ShardPart
    ) throws(StoreError) -> (header: ShardHeader, table: ColumnTable) {
        let path = try StorePath(parsing: path)
        let bytes = try self.folder(of: path).read(path.name, sha256: sha256)
        return try Self.parse(bytes, part: part, path: path.text)
    }

    /// The folder of a published file; where it is missing, the error says that of the file.
    @HDF5Actor
    func folder(of path: StorePath) throws(StoreError) -> Folder {
        do {
            return try self.place.folder(path.folder)
        } catch  where error.code == .missing {
            throw StoreError(
                .missing, path: path.text,
                "the file is not there, although it was published; nor is the folder \(error.path).")
        }
    }

    @HDF5Actor
    static func parse(
        _ bytes: [UInt8], part: ShardPart, path: String
    ) throws(StoreError) -> (header: ShardHeader, table: ColumnTable) {
        try translating(path: path) { () throws(HDF5Error) in
            try ShardImage.read(bytes, part: part, name: path)
        }
    }

    @HDF5Actor
    static func digest(_ header: ShardHeader, _ table: ColumnTable, path: String) throws(StoreError) -> String {
        try translating(path: path) { () throws(HDF5Error) in try LogicalDigest.shard(header, table) }
    }
}
