import Evaluation
import Foundation
import ResultStore

/// A job with all its shards published.
struct PublishedJob {
    let run: String
    let job: String
    let files: [PublishedFile]
    let samples: [SampleResult]

    /// - Parameter seed: What the samples are drawn from; jobs of one seed have the same.
    /// - Parameter incarnation: Of the worker that computes all shards; nil: each one has its own.
    init(
        in place: TemporaryStore, run: String = "k3f9m2ab", counts: [Int], mode: LogitsMode, weighted: Set<Int> = [],
        seed: UInt64 = 0, incarnation: UUID? = nil
    ) async throws {
        var (files, all, start): ([PublishedFile], [SampleResult], Int) = ([], [], 0)
        for (index, count) in counts.enumerated() {
            let samples = SampleResult.random(
                count, start: start, seed: seed + UInt64(index), weighted: weighted.contains(index))
            let header = ShardHeader.sample(run: run, index: index, start: start, count: count, mode: mode)
            files.append(
                try await place.store.publishShard(
                    header, samples: samples, epoch: 1, incarnation: incarnation ?? UUID()))
            all += samples
            start += count
        }
        self.run = run
        self.job = "\(run).1"
        self.files = files
        self.samples = all
    }

    private init(run: String, job: String, files: [PublishedFile], samples: [SampleResult]) {
        self.run = run
        self.job = job
        self.files = files
        self.samples = samples
    }

    /// Verifies the job's shards, or others in their place.
    func issues(in place: TemporaryStore, _ files: [PublishedFile]? = nil) async throws -> [VerificationIssue] {
        let shards = Dictionary(uniqueKeysWithValues: (files ?? self.files).enumerated().map { ($0, $1) })
        return try await place.store.verifyShards(shards, runID: self.run, jobID: self.job)
    }

    /// The job as older releases published it: the files' own names have no job.
    func withOldNames(in place: TemporaryStore) throws -> PublishedJob {
        let files = try self.files.map { file in
            var old = file
            old.path = file.path.replacing("/\(self.job).shard-", with: "/shard-")
            try FileManager.default.moveItem(at: place.url(file.path), to: place.url(old.path))
            return old
        }
        return PublishedJob(run: self.run, job: self.job, files: files, samples: self.samples)
    }
}
