import Evaluation
import Foundation
import JobQueue
import MemoryQueue
import ResultStore
import Testing

/// A run of one job in a queue in memory, and a store with what its claims published.
final class MaintainedStore: Sendable {
    let folder: String
    let store: Store
    let queue: InMemoryJobQueue
    let run: RunID
    let job: JobID
    let lease: WorkerLease

    init(shards: Int) async throws {
        self.folder = NSTemporaryDirectory() + "assay-maintenance-\(UUID().uuidString)"
        self.store = try await Store.create(root: self.folder)
        self.queue = InMemoryJobQueue(jitter: { 0 })
        let rows = try await self.store.importDataSet(bytes: Array(#"{"q": "Q"}"#.utf8))
        let specification = JobSpecification(
            model: .init(name: "m", path: "/m.gguf", sha256: hash("a"), tokenizerSHA256: hash("b")),
            task: .init(name: "t", hash: hash("d"), configuration: "{}"), dataSet: .init(sha256: rows, rows: shards),
            settings: .init(
                maxLength: nil, batchTokens: 64, maxSequences: 16, generationSlots: 4, logits: .none, shardSize: 1))
        let submission = RunSubmission(
            name: "test", user: "tester", specification: "{}",
            jobs: [
                JobSubmission(
                    ordinal: 0, task: "t", model: "m", modelSHA256: hash("a"), specification: try specification.json(),
                    sampleCount: shards, shards: (0..<shards).map { ShardRange(rowStart: $0, rowCount: 1) })
            ])
        _ = try await self.queue.submit(submission)
        self.run = submission.id
        self.job = try #require(try await self.queue.jobs(of: submission.id).first).id
        self.lease = try await self.queue.register(
            WorkerDescription(host: "test", pid: 1, device: "cpu", engine: "scripted"))
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    func claim() async throws -> ClaimedShard {
        try #require(try await self.queue.claim(self.lease, limit: 1).first)
    }

    /// Writes what a worker would of one sample, and commits nothing.
    func publish(
        shard: Int, epoch: Int, incarnation: UUID, job: String? = nil, run: RunID? = nil
    ) async throws -> PublishedFile {
        let header = ShardHeader(
            runID: (run ?? self.run).text, jobID: job ?? self.job.name, shardIndex: shard, rowStart: shard, rowCount: 1,
            modelSHA256: hash("a"), tokenizerSHA256: hash("b"), datasetSHA256: hash("c"), taskHash: hash("d"),
            engine: "scripted", engineBuild: "1", deviceKind: "cpu", logitsMode: .none, provenance: "{}")
        let sample = SampleResult(
            sampleID: "sample-\(shard)", row: shard, target: "1", prediction: "1",
            metrics: [MetricValue(name: "acc", value: 1)])
        return try await self.store.publishShard(header, samples: [sample], epoch: epoch, incarnation: incarnation)
    }

    func publish(_ shard: ClaimedShard) async throws -> PublishedFile {
        try await self.publish(
            shard: shard.index, epoch: shard.epoch.rawValue, incarnation: shard.incarnation.uuid)
    }

    func commit(_ shard: ClaimedShard, _ file: PublishedFile) async throws {
        let outcome = try await self.queue.commit(
            shard,
            ShardPublication(
                path: file.path, bytes: Int64(file.bytes), sha256: file.sha256, digest: file.digest, samples: 1,
                tokens: 1, seconds: 0))
        #expect(outcome == .committed)
    }

    /// Does all that is open.
    func compute() async throws -> [PublishedFile] {
        var files: [PublishedFile] = []
        while let shard = try await self.queue.claim(self.lease, limit: 1).first {
            let file = try await self.publish(shard)
            try await self.commit(shard, file)
            files.append(file)
        }
        return files
    }

    func hasFile(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(self.folder)/\(path)") }

    func record() async throws -> JobRecord { try #require(try await self.queue.jobs(of: self.run).first) }
}

func hash(_ digit: Character) -> String { String(repeating: digit, count: 64) }
