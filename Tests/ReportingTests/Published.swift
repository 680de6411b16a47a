import Evaluation
import Foundation
import JobQueue
import MemoryQueue
import ResultStore

@testable import Reporting

/// A store and a queue with a run whose shards a test publishes one by one.
struct Published {
    let folder: Folder
    let store: Store
    let queue = InMemoryJobQueue()
    let run: RunRecord
    let lease: WorkerLease

    static let metrics = [
        MetricDefinition(name: "acc", metric: .acc, filter: "none", aggregation: .mean, higherIsBetter: true),
        MetricDefinition(
            name: "word_perplexity", metric: .wordPerplexity, filter: "none", aggregation: .weightedPerplexity,
            higherIsBetter: false),
    ]

    static let specification = JobSpecification(
        model: .init(
            name: "tiny", path: "/models/tiny.gguf", sha256: Sample.hash("a"), tokenizerSHA256: Sample.hash("b")),
        task: .init(name: "quiz", hash: Sample.hash("1"), configuration: "{}"),
        dataSet: .init(sha256: Sample.hash("d"), rows: 5),
        settings: .init(
            maxLength: 512, batchTokens: 1024, maxSequences: 8, generationSlots: 4, logits: .none, shardSize: 3))

    /// A run of two jobs on the same data; each has rows 0 to 2 and 3 to 4 as its shards.
    init(specification text: String? = nil) async throws {
        self.folder = try Folder()
        self.store = try await Store.create(root: self.folder.path)
        let specification = try text ?? Self.specification.json()
        let submission = RunSubmission(
            id: try RunID("k3f90001"), name: "demo", user: "tester", specification: "{}",
            jobs: (0..<2).map { ordinal in
                JobSubmission(
                    ordinal: ordinal, task: "quiz", model: "tiny", modelSHA256: Sample.hash("a"),
                    specification: specification, sampleCount: 5,
                    shards: [.init(rowStart: 0, rowCount: 3), .init(rowStart: 3, rowCount: 2)])
            })
        self.run = try await self.queue.submit(submission)
        self.lease = try await self.queue.register(
            .init(host: "here", pid: 1, device: "cpu", engine: "test", warmModels: []), ttl: .seconds(3600))
    }

    var builder: ReportBuilder {
        ReportBuilder(queue: self.queue, store: self.store) { task in
            var task = task
            (task.alias, task.version, task.metrics) = ("Quiz", "1.0", Self.metrics)
            return task
        }
    }

    /// Publishes and commits all shards that are left, or `limit` of them.
    func work(
        limit: Int = .max, header change: (inout ShardHeader) -> Void = { _ in },
        sample: (Int) -> SampleResult = Self.sample
    ) async throws {
        var done = 0
        while done < limit {
            guard let shard = try await self.queue.claim(self.lease, limit: 1).first else { return }
            var header = ShardHeader(
                runID: shard.run.text, jobID: shard.jobName, shardIndex: shard.index, rowStart: shard.rowStart,
                rowCount: shard.rowCount, modelSHA256: Sample.hash("a"), tokenizerSHA256: Sample.hash("b"),
                datasetSHA256: Sample.hash("d"), taskHash: Sample.hash("1"), engine: "test", engineBuild: "1",
                deviceKind: "cpu", logitsMode: .none, provenance: "{}")
            change(&header)
            let samples = (0..<shard.rowCount).map { sample(shard.rowStart + $0) }
            let file = try await self.store.publishShard(
                header, samples: samples, epoch: shard.epoch.rawValue, incarnation: shard.incarnation.uuid)
            _ = try await self.queue.commit(
                shard,
                .init(
                    path: file.path, bytes: Int64(file.bytes), sha256: file.sha256, digest: file.digest,
                    samples: shard.rowCount, tokens: 10, seconds: 1))
            done += 1
        }
    }

    static func sample(_ row: Int) -> SampleResult {
        SampleResult(
            sampleID: "q\(row)", row: row, target: "\(row % 4)", prediction: "0",
            metrics: [
                .init(name: "acc", value: row % 4 == 0 ? 1 : 0),
                .init(name: "word_perplexity", value: -10 - Double(row), weight: 5),
            ], promptTokens: 7)
    }
}
