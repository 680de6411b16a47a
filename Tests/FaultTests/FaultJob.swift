import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// A job of the suite: so many rows of one task, in shards of one size.
struct FaultJob: Hashable, Sendable {
    var rows: Int
    var shardSize: Int

    /// Many small shards: a worker claims, publishes and commits all the time.
    static let many = FaultJob(rows: 240, shardSize: 2)
    /// A few shards of the same kind.
    static let few = FaultJob(rows: 24, shardSize: 2)
    /// One shard that takes seconds.
    static let one = FaultJob(rows: 200, shardSize: 200)
    /// One small shard.
    static let least = FaultJob(rows: 2, shardSize: 2)

    var shards: Int { (self.rows + self.shardSize - 1) / self.shardSize }

    static let rowCount = 240

    static func writeTask(into folder: String) throws {
        let task = """
            task: faults
            dataset_path: json
            dataset_kwargs: {data_files: {test: faults.jsonl}}
            test_split: test
            output_type: multiple_choice
            doc_to_text: "{{question}}"
            doc_to_choice: choices
            doc_to_target: answer
            metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
            metadata: {version: 1.0}
            """
        try task.write(toFile: "\(folder)/faults.yaml", atomically: true, encoding: .utf8)
        let animals = ["fox", "dog", "cow", "hen", "owl", "bee", "cat", "elk"]
        let rows = (0..<Self.rowCount).map { row in
            let choices = (0..<3).map { "\"the \(animals[(row / 8 + $0) % 8])\"" }.joined(separator: ", ")
            return """
                {"question": "Question \(row): which animal is it, of \(row % 7) that stand in the shade?", \
                "choices": [\(choices)], "answer": \(row % 3)}
                """
        }
        try (rows.joined(separator: "\n") + "\n")
            .write(toFile: "\(folder)/faults.jsonl", atomically: true, encoding: .utf8)
    }

    /// Writes the job's file and answers its path.
    func write(into folder: String) throws -> String {
        let path = "\(folder)/faults-\(self.rows)-\(self.shardSize).yaml"
        let text = """
            name: faults
            model: tiny
            settings: {shard_size: \(self.shardSize), logits: tokens, max_length: 128}
            tasks: [{task: faults.yaml, limit: \(self.rows)}]
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}

/// The digests of undisturbed runs, each computed once on a bench of its own; they are the same on every bench, because
/// nothing of a bench is in a result.
actor References {
    static let shared = References()
    private var digests: [FaultJob: (all: String, samples: String)] = [:]

    func digest(of job: FaultJob) async throws -> String { try await self.digests(of: job).all }

    /// Of the samples alone: the same for results of another release, which say other things of themselves.
    func samplesDigest(of job: FaultJob) async throws -> String { try await self.digests(of: job).samples }

    private func digests(of job: FaultJob) async throws -> (all: String, samples: String) {
        if let known = self.digests[job] { return known }
        let digest = try await FaultBench.with("reference of \(job.shards) shards") { bench in
            let run = try await bench.submit(job)
            let worker = try await bench.bench.worker("--run", run)
            try #require(worker.termination.isSuccess, "\(worker.standardError.text)")
            return (
                try await bench.bench.assay("results", "digest", run),
                try await bench.bench.assay("results", "digest", "--samples", run)
            )
        }
        self.digests[job] = digest
        return digest
    }
}

extension FaultBench {
    /// Submits the job and answers the run's id.
    func submit(_ job: FaultJob) async throws -> String {
        try await self.bench.answer(RunAnswer.self, "submit", try job.write(into: self.bench.folder)).id
    }
}
