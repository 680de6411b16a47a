import Execution
import JobQueue
import Logging
import Synchronization
import Testing

/// A worker whose shards fail, all of them, for reasons that may be its own.
@Suite struct UnfitWorkerTests {
    @Test func itWaitsLongerAndLongerAndSaysSo() async throws {
        let bench = try await Bench(shards: 2)
        let log = RecordingLog()
        let processor = ScriptedProcessor { _ in .failure(ExecutionError(.transient, "no model here")) }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600), logger: log.logger).run()
        // Three attempts for each shard, and a pause before each from the fourth on.
        #expect(summary.failed == 6)
        #expect(log.rests >= 3)
        await bench.end()
    }

    @Test func badRowsAreNotItsFault() async throws {
        let bench = try await Bench(shards: 8)
        let log = RecordingLog()
        let processor = ScriptedProcessor { _ in .failure(ExecutionError(.permanent, "a bad row")) }
        #expect(try await bench.worker(processor, leaseTTL: .seconds(600), logger: log.logger).run().failed == 8)
        #expect(log.rests == 0)
        await bench.end()
    }

    @Test func aResultMakesItFitAgain() async throws {
        let bench = try await Bench(shards: 9)
        let log = RecordingLog()
        let tries = Mutex<[Int: Int]>([:])
        let processor = ScriptedProcessor { shard in
            let number = tries.withLock { tries in
                tries[shard.index, default: 0] += 1
                return tries[shard.index] ?? 0
            }
            // Every third shard fails once: never three in a row.
            return shard.index % 3 == 0 && number == 1
                ? .failure(ExecutionError(.transient, "a hiccup")) : .success(shard.publication)
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600), prefetches: false, logger: log.logger)
            .run()
        #expect((summary.failed, summary.committed) == (3, 9))
        #expect(log.rests == 0)
        await bench.end()
    }
}

extension RecordingLog {
    /// How often it was said that the worker rests; a slow machine may give other warnings.
    fileprivate var rests: Int {
        self.messages(.warning).count { $0.hasPrefix("one shard after the other fails here") }
    }
}
