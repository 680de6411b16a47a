public import JobQueue
public import ResultStore

/// The published files of a job: its shards, and the one file over them that analysts open.
public struct JobFiles: Sendable {
    public let job: JobRecord
    public let shards: [PublishedFile]
    /// The shards' numbers.
    private let indexes: [Int]

    /// Reads the committed rows of a job, in the order of its shards.
    public init(of job: JobRecord, in queue: any RunRegistry) async throws(QueueError) {
        self.init(of: job, try await queue.results(of: job.id))
    }

    /// - Parameter results: The committed rows of the job.
    public init(of job: JobRecord, _ results: [ShardResult]) {
        self.job = job
        self.indexes = results.map(\.key.index)
        self.shards = results.map { result in
            PublishedFile(
                path: result.publication.path, bytes: Int(result.publication.bytes),
                sha256: result.publication.sha256, digest: result.publication.digest)
        }
    }

    /// Whether every shard has its result.
    public var isComplete: Bool { self.shards.count == self.job.progress.shards.total && !self.shards.isEmpty }

    /// The job's logical digest; equal for equal work, however it was done.
    public var digest: String { Store.jobDigest(self.shards.map(\.digest)) }

    /// The digest of the job's samples, however they were cut into shards and whatever computed them; reads every shard.
    public func samplesDigest(in store: Store) async throws(StoreError) -> String {
        var digest = SamplesDigest()
        for file in self.shards {
            digest.add(try await store.readShard(file.path, sha256: file.sha256).samples)
        }
        return digest.finish()
    }

    /// Reads every shard again; empty if each is as published.
    public func verify(in store: Store) async throws(StoreError) -> [VerificationIssue] {
        try await store.verifyShards(
            Dictionary(zip(self.indexes, self.shards)) { first, _ in first }, runID: self.job.id.run.description,
            jobID: self.job.id.name)
    }

    /// Makes the job's file, unless it is there.
    public func build(in store: Store) async throws(StoreError) -> PublishedFile {
        try await store.buildJobFile(runID: self.job.id.run.description, jobID: self.job.id.name, shards: self.shards)
    }

    /// Whether the job's file is there.
    public func isBuilt(in store: Store) async throws(StoreError) -> Bool {
        try await store.hasJobFile(
            runID: self.job.id.run.description, jobID: self.job.id.name, shards: self.shards)
    }
}
