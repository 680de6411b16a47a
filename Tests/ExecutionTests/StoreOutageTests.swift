import Execution
import JobQueue
import Logging
import Synchronization
import Testing
import WorkerLogic

/// A store that takes nothing for a while.
@Suite struct StoreOutageTests {
    private static let full = ExecutionError(.storeFull, "the disk is full")

    @Test func aResultIsKeptUntilTheStoreTakesIt() async throws {
        let bench = try await Bench(shards: 2)
        let refusals = Mutex(2)
        let log = RecordingLog()
        let processor = SteppedProcessor(Steps()) { step, index throws(ExecutionError) in
            guard step == .publish, index == 0 else { return }
            let isRefused = refusals.withLock { left in
                left -= 1
                return left >= 0
            }
            if isRefused { throw Self.full }
        }
        let summary = try await bench.worker(processor, logger: log.logger).run()
        #expect((summary.committed, summary.failed) == (2, 0))
        #expect(try await bench.attempts().allSatisfy { $0.error == nil })
        // Said once when it begins, and once when it is over.
        #expect(log.messages(.warning).count { $0.hasPrefix("the store takes no results") } == 1)
        #expect(log.messages(.notice).count { $0 == "the store takes results again" } == 1)
        await bench.end()
    }

    @Test func patienceEndsWithAFailedAttempt() async throws {
        let bench = try await Bench(shards: 1)
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .publish { throw Self.full }
        }
        let summary = try await bench.worker(processor, storePatience: .milliseconds(20)).run()
        #expect((summary.committed, summary.failed) == (0, 3))
        #expect(try await bench.attempts().compactMap(\.error) == Array(repeating: "the disk is full", count: 3))
        await bench.end()
    }

    /// A share that hangs or is gone on one node is no fault of the shard's: another node publishes it.
    @Test func patienceWithAStoreThatIsAwayBurnsNoAttempt() async throws {
        let bench = try await Bench(shards: 1)
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .publish { throw ExecutionError(.storeUnavailable, "stale file handle") }
        }
        let summary = try await bench.worker(processor, storePatience: .milliseconds(20)).run()
        #expect((summary.committed, summary.failed) == (0, 0))
        #expect(summary.reasonForLeaving?.contains("stale file handle") == true)
        #expect(try await bench.shards().map(\.failures) == [0])
        await bench.end()
    }

    @Test func whoIsAskedToEndMeanwhileGivesTheShardBack() async throws {
        let bench = try await Bench(shards: 1)
        let steps = Steps()
        let worker = bench.worker(
            SteppedProcessor(steps) { step, _ throws(ExecutionError) in
                if step == .publish { throw Self.full }
            })
        let running = Task { try await worker.run() }
        await steps.reached(.publish, 0)
        worker.drain()
        let summary = try await running.value
        #expect((summary.committed, summary.failed, summary.released) == (0, 0, 1))
        #expect(try await bench.shards().map(\.state) == [.ready])
        await bench.end()
    }

    @Test func aShardIsPreparedOnceTheStoreCanBeRead() async throws {
        let bench = try await Bench(shards: 2)
        let refusals = Mutex(2)
        let log = RecordingLog()
        let processor = SteppedProcessor(Steps()) { step, index throws(ExecutionError) in
            guard step == .prepare, index == 0 else { return }
            let isRefused = refusals.withLock { left in
                left -= 1
                return left >= 0
            }
            if isRefused { throw ExecutionError(.storeUnavailable, "stale file handle") }
        }
        let summary = try await bench.worker(processor, logger: log.logger).run()
        #expect((summary.committed, summary.failed, summary.released) == (2, 0, 0))
        #expect(try await bench.attempts().map(\.outcome) == [.done, .done])
        #expect(log.messages(.warning).count { $0.hasPrefix("the store can't be read") } == 1)
        #expect(log.messages(.notice).count { $0 == "the store can be read again" } == 1)
        await bench.end()
    }

    @Test func aStoreThatCanNotBeReadBurnsNoAttempt() async throws {
        let bench = try await Bench(shards: 1)
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .prepare { throw ExecutionError(.storeUnavailable, "stale file handle") }
        }
        let summary = try await bench.worker(processor, storePatience: .milliseconds(20)).run()
        #expect((summary.committed, summary.failed) == (0, 0))
        #expect(summary.reasonForLeaving?.contains("stale file handle") == true)
        #expect(try await bench.shards().map(\.failures) == [0])
        await bench.end()
    }
}
