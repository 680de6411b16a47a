import Execution
import JobQueue
import Logging
import MemoryQueue
import Synchronization
import Testing
import WorkerLogic

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

/// A worker whose node lacks what the work needs.
@Suite(.timeLimit(.minutes(5))) struct LackingNodeTests {
    private static let gone = ExecutionError(
        .nodeFault, "the model's file is not here", lacking: .model(sha256: Bench.modelSHA256, path: "/m.gguf"))

    @Test func itBurnsNoAttemptAndSaysWhyItLeaves() async throws {
        let bench = try await Bench(shards: 2)
        let log = RecordingLog()
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .prepare { throw Self.gone }
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600), logger: log.logger).run()
        #expect((summary.committed, summary.failed) == (0, 0))
        #expect(summary.reasonForLeaving?.contains("the model's file is not here") == true)
        #expect(log.messages(.error) == ["this node is of no use; leaving"])
        #expect(try await bench.shards().map(\.state) == [.ready, .ready])
        #expect(try await bench.shards().map(\.failures) == [0, 0])
        #expect(try await bench.queue.workers().map(\.state) == [.left])
        // Those who look at the job are told as well.
        let attempts = try await bench.queue.attempts(of: try await bench.shards()[0].key.job)
        #expect(Set(attempts.map(\.error)) == ["the model's file is not here"])
        await bench.end()
    }

    /// A file that is gone does not keep a worker from the jobs that don't need it.
    @Test(arguments: [1, 5]) func itDoesTheOtherJobsMeanwhile(jobsWithoutFile: Int) async throws {
        let bench = try await Bench(shards: 2)
        for _ in 1..<jobsWithoutFile { _ = try await bench.queue.submit(Bench.submission(shards: 2)) }
        var other = Bench.submission(shards: 3)
        other.jobs[0].modelSHA256 = String(repeating: "b", count: 64)
        _ = try await bench.queue.submit(other)
        let otherID = other.id
        let order = Mutex<[RunID]>([])
        let holder = Mutex<Worker?>(nil)
        let processor = ScriptedProcessor { shard in
            order.withLock { $0.append(shard.run) }
            guard shard.run == otherID else { return .failure(Self.gone) }
            if shard.index == 2 { holder.withLock { $0 }?.drain() }
            return .success(shard.publication)
        }
        let worker = bench.worker(processor, leaseTTL: .seconds(600), prefetches: false, endsWhenDrained: false)
        holder.withLock { $0 = worker }
        let summary = try await worker.run()
        #expect((summary.committed, summary.failed, summary.reasonForLeaving) == (3, 0, nil))
        #expect(order.withLock { $0.first } == bench.run)
        await bench.end()
    }

    /// Trying again does not make it allowed.
    @Test func aStoreThatRefusesIsAReasonToLeaveAtOnce() async throws {
        let bench = try await Bench(shards: 2)
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .publish { throw ExecutionError(.storeRefused, "permission denied") }
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600)).run()
        #expect((summary.committed, summary.failed, summary.reasonForLeaving) == (0, 0, "permission denied"))
        #expect(try await bench.shards().map(\.failures) == [0, 0])
        await bench.end()
    }
}

extension RecordingLog {
    /// How often it was said that the worker rests; a slow machine may give other warnings.
    fileprivate var rests: Int {
        self.messages(.warning).count { $0.hasPrefix("one shard after the other fails here") }
    }
}
