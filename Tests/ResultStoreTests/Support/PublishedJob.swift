import Evaluation
import Foundation
import ResultStore

/// A job with all its shards published.
struct PublishedJob {
    let run: String
    let job: String
    let files: [PublishedFile]
    let samples: [SampleResult]

    init(
        in place: TemporaryStore, run: String = "k3f9m2ab", counts: [Int], mode: LogitsMode, weighted: Set<Int> = []
    ) async throws {
        var (files, all, start): ([PublishedFile], [SampleResult], Int) = ([], [], 0)
        for (index, count) in counts.enumerated() {
            let samples = SampleResult.random(
                count, start: start, seed: UInt64(index), weighted: weighted.contains(index))
            let header = ShardHeader.sample(run: run, index: index, start: start, count: count, mode: mode)
            files.append(
                try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: UUID()))
            all += samples
            start += count
        }
        self.run = run
        self.job = "\(run).1"
        self.files = files
        self.samples = all
    }
}
