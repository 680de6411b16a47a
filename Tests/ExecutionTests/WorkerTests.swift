import Execution
import Foundation
import JobQueue
import Logging
import Synchronization
import Testing
import UVEventLoop

/// The worker's loop on a queue in memory, with a processor that does as it is told.
@Suite(.timeLimit(.minutes(10))) struct WorkerTests {
    @Test func everyShardIsCommittedOnceAndTheWorkerLeaves() async throws {
        let bench = try await Bench(shards: 7)
        let summary = try await bench.worker(.publishing).run()
        #expect(summary.committed == 7)
        #expect(summary.samples == 7)
        #expect(try await bench.committedShards() == Array(0..<7))
        #expect(try await bench.queue.workers().map(\.state) == [.left])
        await bench.end()
    }

    @Test func severalWorkersShareTheWorkAndNothingIsDoneTwice() async throws {
        let bench = try await Bench(shards: 40)
        let processor = ScriptedProcessor { shard in .success(shard.publication) }
        let summaries = try await withThrowingTaskGroup(of: WorkerSummary.self) { group in
            for _ in 0..<4 { group.addTask { try await bench.worker(processor).run() } }
            return try await group.reduce(into: [WorkerSummary]()) { $0.append($1) }
        }
        #expect(summaries.map(\.committed).reduce(0, +) == 40)
        #expect(processor.processed.sorted() == Array(0..<40))
        await bench.end()
    }

    @Test func aPermanentErrorFailsTheShardAtOnceAndTheRestGoesOn() async throws {
        let bench = try await Bench(shards: 3)
        let processor = ScriptedProcessor { shard in
            shard.index == 1 ? .failure(ExecutionError(.permanent, "row 1 is bad")) : .success(shard.publication)
        }
        let summary = try await bench.worker(processor).run()
        #expect(summary.committed == 2)
        #expect((summary.failed, summary.givenUp) == (1, 1))
        #expect(processor.processed == [0, 1, 2])
        let attempts = try await bench.attempts()
        #expect(attempts.compactMap(\.error) == ["row 1 is bad"])
        await bench.end()
    }

    @Test func aTransientErrorIsTriedAgain() async throws {
        let bench = try await Bench(shards: 1)
        let tries = Atomic(0)
        let processor = ScriptedProcessor { shard in
            tries.add(1, ordering: .relaxed).newValue == 1
                ? .failure(ExecutionError(.transient, "no memory")) : .success(shard.publication)
        }
        let summary = try await bench.worker(processor).run()
        #expect(summary.committed == 1)
        #expect((summary.failed, summary.givenUp) == (1, 0))
        await bench.end()
    }

    @Test func drainingFinishesTheShardInHandAndLeavesTheRest() async throws {
        let bench = try await Bench(shards: 3)
        let holder = Mutex<Worker?>(nil)
        let processor = ScriptedProcessor { shard in
            holder.withLock { $0 }?.drain()
            return .success(shard.publication)
        }
        let worker = bench.worker(processor)
        holder.withLock { $0 = worker }
        #expect(try await worker.run().committed == 1)
        #expect(try await bench.queue.openShardCount(run: nil) == 2)
        await bench.end()
    }

    @Test func abandoningGivesTheShardBackWithoutBurningAnAttempt() async throws {
        let bench = try await Bench(shards: 1)
        let started = AsyncStream<Void>.makeStream()
        let processor = ScriptedProcessor { _ in
            started.continuation.yield()
            // Ends when the task is cancelled, as an engine between two decodes.
            for await _ in AsyncStream<Void>.makeStream().stream {}
            return .failure(ExecutionError(.cancelled, "stopped"))
        }
        let worker = bench.worker(processor)
        let work = Task { try await worker.run() }
        for await _ in started.stream { break }
        work.cancel()
        #expect(try await work.value.released == 1)
        let shard = try #require(try await bench.shards().first)
        #expect(shard.state == .ready)
        #expect(shard.failures == 0)
        await bench.end()
    }

    @Test func aResultThatComesAfterTheShardWasGivenAwayDoesNotCount() async throws {
        let bench = try await Bench(shards: 1)
        let queue = bench.queue
        let processor = ScriptedProcessor { shard in
            // While this worker computes, another one is given the shard and commits it.
            bench.clock.advance(by: 3_600)
            do {
                _ = try await queue.reap()
                let rival = try await queue.register(Bench.description)
                for taken in try await queue.claim(rival, limit: 1) {
                    _ = try await queue.commit(taken, taken.publication)
                }
            } catch {
                return .failure(ExecutionError(.permanent, "\(error)"))
            }
            return .success(shard.publication)
        }
        let summary = try await bench.worker(processor).run()
        #expect(summary.committed == 0)
        #expect(summary.fenced == 1)
        #expect(try await bench.committedShards() == [0])
        await bench.end()
    }
}
