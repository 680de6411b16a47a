import Execution
import Foundation
import JobQueue
import Logging
import MemoryQueue
import Synchronization
import Testing
import UVEventLoop
import WorkerLogic

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

    /// A worker of another engine was faster with the job's first result: the shard goes back, and burns no attempt.
    @Test func aResultOfAnotherEngineIsLeftToThoseThatHaveTheJobsEngine() async throws {
        let bench = try await Bench(shards: 2)
        let queue = bench.queue
        var (own, other) = (Bench.description, Bench.description)
        (own.identity, other.identity) = ("{}", #"{"build":"2"}"#)
        let rival = try await queue.register(other)
        let processor = ScriptedProcessor { shard in
            do {
                for taken in try await queue.claim(rival, limit: 1) {
                    _ = try await queue.commit(taken, taken.publication)
                }
            } catch {
                return .failure(ExecutionError(.permanent, "\(error)"))
            }
            return .success(shard.publication)
        }
        // It ends once the rival has done the rest.
        async let rest = Self.takeNext(queue, rival, after: 1)
        let summary = try await bench.worker(processor, description: own, prefetches: false).run()
        #expect(try await rest == [.committed])
        #expect((summary.committed, summary.released, summary.fenced, summary.failed) == (0, 1, 0, 0))
        let released = try await bench.attempts().filter { $0.outcome == .released }
        #expect(
            released.map(\.error) == ["the first result of the job came from another engine than this worker's"])
        let shards = try await bench.shards()
        #expect(shards.map(\.state) == [.done, .done] && shards.map(\.failures) == [0, 0])
        await bench.end()
    }

    /// Waits until there are so many results, and takes and commits the next shard that is to be had.
    private static func takeNext(
        _ queue: InMemoryJobQueue, _ lease: WorkerLease, after count: Int
    ) async throws -> [CommitOutcome] {
        while true {
            try await Task.sleep(for: .milliseconds(1))
            let run = try #require(try await queue.runs(limit: 1, project: nil).first)
            guard run.progress.shards.done >= count else { continue }
            guard let shard = try await queue.claim(lease, limit: 1).first else { continue }
            return [try await queue.commit(shard, shard.publication)]
        }
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
