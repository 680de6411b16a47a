import Execution
import JobQueue
import MemoryQueue
import Synchronization
import Testing
import UVEventLoop
import WorkerLogic

/// While a shard is computed, the next one is prepared and the last one published.
@Suite(.timeLimit(.minutes(10))) struct PipelineTests {
    @Test func theStepsOfDifferentShardsOverlapAndThoseOfAKindDoNot() async throws {
        let bench = try await Bench(shards: 12)
        let steps = Steps()
        // Each waits for what can only happen beside it.
        let processor = SteppedProcessor(steps) { step, index in
            switch step {
            case .prepare: break
            case .compute: if index < 11 { await steps.reached(.prepare, index + 1) }
            case .publish: if index < 11 { await steps.reached(.compute, index + 1) }
            }
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600)).run()
        #expect(summary.committed == 12)
        #expect(steps.peaks == [.prepare: 1, .compute: 1, .publish: 1])
        #expect(try await bench.committedShards() == Array(0..<12))
        await bench.end()
    }

    @Test func aDrainedWorkerGivesTheShardBackThatItHadNotBegun() async throws {
        let bench = try await Bench(shards: 3)
        let steps = Steps()
        let holder = Mutex<Worker?>(nil)
        let processor = SteppedProcessor(steps) { step, index in
            guard step == .compute else { return }
            await steps.reached(.prepare, index + 1)
            holder.withLock { $0 }?.drain()
        }
        let worker = bench.worker(processor, leaseTTL: .seconds(600))
        holder.withLock { $0 = worker }
        #expect(try await worker.run().committed == 1)
        let shards = try await bench.shards()
        #expect(shards.map(\.state) == [.done, .ready, .ready])
        #expect(shards.map(\.failures) == [0, 0, 0])
        await bench.end()
    }

    @Test func anAbandonedWorkerGivesBackBoth() async throws {
        let bench = try await Bench(shards: 2)
        let steps = Steps()
        let processor = SteppedProcessor(steps) { step, index in
            guard step == .compute else { return }
            await steps.reached(.prepare, index + 1)
            for await _ in AsyncStream<Void>.makeStream().stream {}
        }
        let worker = bench.worker(processor, leaseTTL: .seconds(600))
        let work = Task { try await worker.run() }
        await steps.reached(.prepare, 1)
        work.cancel()
        #expect(try await work.value.committed == 0)
        #expect(try await bench.shards().map(\.state) == [.ready, .ready])
        #expect(try await bench.queue.workers().map(\.state) == [.left])
        await bench.end()
    }

    /// A cold worker must not sit on a second shard while another worker has nothing to do.
    @Test func aShardThatHasOnlyBegunLeavesTheNextOneToOthers() async throws {
        let bench = try await Bench(shards: 2)
        let steps = Steps()
        let isEnough = Mutex(false)
        let processor = SteppedProcessor(steps, isNearEnd: false) { step, index in
            guard step == .compute else { return }
            // Both at once, which only two workers can do.
            while !(steps.hasReached(.compute, 1 - index) || isEnough.withLock { $0 }) { await Task.yield() }
        }
        let limit = Task {
            try await bench.loop.sleep(for: .seconds(20))
            isEnough.withLock { $0 = true }
        }
        let first = Task { try await bench.worker(processor, leaseTTL: .seconds(600)).run() }
        await steps.reached(.compute, 0)
        let second = try await bench.worker(processor, leaseTTL: .seconds(600)).run()
        limit.cancel()
        #expect((try await first.value.committed, second.committed) == (1, 1))
        await bench.end()
    }

    @Test func aLimitHoldsForWhatIsClaimedAheadToo() async throws {
        let bench = try await Bench(shards: 3)
        let steps = Steps()
        let summary = try await bench.worker(SteppedProcessor(steps) { _, _ in }, shardLimit: 1).run()
        #expect(summary.committed == 1)
        #expect(steps.begun == [.prepare: 1, .compute: 1, .publish: 1])
        #expect(try await bench.attempts().count == 1)
        await bench.end()
    }

    @Test func withoutPrefetchOneShardIsHeldAtATime() async throws {
        let bench = try await Bench(shards: 3)
        let steps = Steps()
        let processor = SteppedProcessor(steps) { step, index in
            guard step == .compute else { return }
            #expect(!steps.hasReached(.prepare, index + 1))
        }
        #expect(try await bench.worker(processor, leaseTTL: .seconds(600), prefetches: false).run().committed == 3)
        await bench.end()
    }

    @Test func aShardThatCanNotBePreparedFailsAlone() async throws {
        let bench = try await Bench(shards: 3)
        let processor = SteppedProcessor(Steps()) { step, index throws(ExecutionError) in
            if step == .prepare, index == 1 { throw ExecutionError(.permanent, "row 1 is bad") }
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600)).run()
        #expect(summary.committed == 2)
        #expect(summary.failed == 1)
        #expect(try await bench.attempts().compactMap(\.error) == ["row 1 is bad"])
        await bench.end()
    }

    @Test func aShardThatWasGivenAwayBeforeItsTurnIsNotComputed() async throws {
        let bench = try await Bench(shards: 2)
        let steps = Steps()
        let (queue, run) = (bench.queue, bench.run)
        let processor = SteppedProcessor(steps) { step, index in
            guard step == .compute, index == 0 else { return }
            await steps.reached(.prepare, 1)
            // The next heartbeat says so, and ends this one as well.
            _ = try? await queue.cancel(run)
            for await _ in AsyncStream<Void>.makeStream().stream {}
        }
        let summary = try await bench.worker(processor, leaseTTL: .milliseconds(600)).run()
        #expect(summary.committed == 0)
        #expect(!steps.hasReached(.compute, 1))
        #expect(try await bench.shards().map(\.state) == [.cancelled, .cancelled])
        await bench.end()
    }
}
