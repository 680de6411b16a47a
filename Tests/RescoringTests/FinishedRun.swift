import Datasets
import Evaluation
import Execution
import Foundation
import Inference
import JobQueue
import LMEval
import Logging
import MemoryQueue
import Planning
import Rescoring
import ResultStore
import Testing
import UVEventLoop

/// A run in a queue in memory whose answers are in a store, made up instead of computed.
///
/// Its rows have two choices, "aa" and "b". The second is right and is twice as likely as the first, but not by character:
/// `acc` is 1 and `acc_norm` 0.
final class FinishedRun: Sendable {
    let folder: String
    let store: Store
    let queue: InMemoryJobQueue
    let run: RunID

    static let logProbs: [Float] = [-1.7, -1]

    /// - Parameters:
    ///   - tasks: The task files of the run's jobs.
    ///   - settings: Of every job, as in a job file.
    ///   - shardLimit: Leave the run unfinished after so many shards.
    init(tasks: [String] = [FinishedRun.task()], settings: String = "shard_size: 2", shardLimit: Int = .max)
        async throws
    {
        self.folder = NSTemporaryDirectory() + "assay-rescoring-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        self.store = try await Store.create(root: "\(self.folder)/store")
        self.queue = InMemoryJobQueue(pollInterval: .milliseconds(1), jitter: { 0 })
        try Self.write("rows.jsonl", Self.rows("Q", 5), in: self.folder)
        try Self.write("others.jsonl", Self.rows("other", 3), in: self.folder)
        try Self.write("examples.jsonl", Self.rows("example", 4), in: self.folder)
        try Self.write("model.gguf", "bytes", in: self.folder)
        for (number, task) in tasks.enumerated() { try Self.write("task\(number).yaml", task, in: self.folder) }
        let model = ModelRecord(
            name: "m", path: "\(self.folder)/model.gguf", sha256: String(repeating: "a", count: 64), bytes: 5,
            architecture: "llama", parameters: 1, contextLength: 1000, vocabularySize: 10,
            tokenizerSHA256: String(repeating: "b", count: 64), quantization: "F32")
        let names = tasks.indices.map { "task\($0).yaml" }.joined(separator: ", ")
        let file = try JobFile.parse(
            "model: m\nsettings: {\(settings)}\ntasks: [\(names)]", path: "\(self.folder)/job.yaml")
        let plan = try await Planner(searchFolders: [], user: "tester").plan(file) { _ in model }
        self.run = try await Planner.submit(plan, queue: self.queue, store: self.store).id
        try await self.compute(shardLimit)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    private static func rows(_ word: String, _ count: Int) -> String {
        (0..<count).map { #"{"q": "\#(word)\#($0)", "c": ["aa", "b"], "gold": 1}"# + "\n" }.joined()
    }

    private static func write(_ name: String, _ text: String, in folder: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    /// A task file.
    static func task(
        question: String = "{{q}}", metric: String = "acc", rows: String = "rows.jsonl", more: String = ""
    ) -> String {
        """
        task: toy
        dataset_path: json
        dataset_kwargs: {data_files: {test: \(rows), train: examples.jsonl}}
        training_split: train
        test_split: test
        output_type: multiple_choice
        doc_to_text: "\(question)"
        doc_to_choice: "{{c}}"
        doc_to_target: gold
        metric_list: [{metric: \(metric)}]
        \(more)
        """
    }

    /// Does the work of a worker with an engine, until nothing is left.
    private func compute(_ limit: Int) async throws {
        let engine = EngineIdentity(engine: "scripted", engineBuild: "1", deviceKind: "cpu", modelName: "m")
        let lease = try await self.queue.register(
            WorkerDescription(host: "test", pid: 1, device: "cpu", labels: [WorkerLabel.rules], engine: "scripted"))
        var count = 0
        while count < limit, let shard = try await self.queue.claim(lease, limit: 1).first {
            let job = try JobSpecification(json: shard.specification)
            var data = TaskData(
                evaluated: try DataSet(jsonl: try await self.store.dataSet(sha256: job.dataSet.sha256)))
            if let pool = job.fewShotPool?.sha256 {
                data.fewShotPool = try DataSet(jsonl: try await self.store.dataSet(sha256: pool))
            }
            let task = try EvaluationTask(canonicalJSON: job.task.configuration, data, rows: job.dataSet.rows)
            var samples: [SampleResult] = []
            for row in shard.rowStart..<shard.rowStart + shard.rowCount {
                samples.append(
                    try task.score(
                        try task.prepare(try data.evaluated.document(at: row)),
                        requests: Self.logProbs.map { _ in [.score(ScoringRequest(tokens: [1, 2], scoredFrom: 1))] },
                        responses: Self.logProbs.map {
                            [.score(ScoredContinuation(tokenLogProbs: [$0], isGreedy: $0 == -1))]
                        },
                        logitsMode: job.settings.logits))
            }
            let publication = try await self.store.publish(
                samples, of: shard, header: try ShardHeader(shard, job: job, engine: engine))
            #expect(try await self.queue.commit(shard, publication) == .committed)
            count += 1
        }
        try await self.queue.deregister(lease)
    }

    /// Plans to score the run, or a job of it, by another task file.
    func plan(_ task: String, of id: String? = nil, epochs: Int? = nil) async throws -> RescoringPlan {
        try Self.write("other.yaml", task, in: self.folder)
        let (task, data) = try EvaluationTask.load(path: "\(self.folder)/other.yaml", epochs: epochs)
        return try await RescoringPlan(
            try await RunSelection(id ?? self.run.text, in: self.queue), by: task, data, queue: self.queue,
            store: self.store)
    }

    func perform(_ plan: RescoringPlan) async throws -> RescoringPlan.Outcome {
        let loop = try EventLoop(name: "rescoring-test")
        let result: Result<RescoringPlan.Outcome, any Error>
        do {
            result = .success(
                try await plan.perform(
                    user: "tester", queue: self.queue, heartbeatQueue: self.queue, heartbeatLoop: loop,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                ) { Issue.record("the worker hangs: \($0)") })
        } catch {
            result = .failure(error)
        }
        await loop.shutDown()
        return try result.get()
    }

    /// Of each job of a run, all samples in order.
    func samples(of run: RunID) async throws -> [[SampleResult]] {
        var jobs: [[SampleResult]] = []
        for job in try await self.queue.jobs(of: run) {
            var samples: [SampleResult] = []
            for result in try await self.queue.results(of: job.id).sorted(by: { $0.key.index < $1.key.index }) {
                let publication = result.publication
                samples += try await self.store.readShard(publication.path, sha256: publication.sha256).samples
            }
            jobs.append(samples)
        }
        return jobs
    }
}
