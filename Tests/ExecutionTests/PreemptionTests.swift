import Execution
import JobQueue
import MemoryQueue
import Synchronization
import Testing
import WorkerLogic

/// What is urgent goes before what was claimed ahead, at the next boundary between shards.
@Suite(.timeLimit(.minutes(10))) struct PreemptionTests {
    @Test(arguments: [Priority.high, .normal, .low])
    func onlyAHigherTierGoesBeforeTheShardThatWasClaimedAhead(_ priority: Priority) async throws {
        let bench = try await Bench(shards: 3)
        let queue = bench.queue
        let order = Mutex<[ShardKey]>([])
        let submission = Bench.submission(shards: 2, priority: priority)
        let processor = ScriptedProcessor { shard in
            if shard.run == bench.run, shard.index == 0 {
                // The next one is in hand when the other run comes.
                while (try? await queue.workers().first?.holding) != 2 { await Task.yield() }
                _ = try? await queue.submit(submission)
            }
            order.withLock { $0.append(shard.key) }
            return .success(shard.publication)
        }
        #expect(try await bench.worker(processor).run().committed == 5)
        let runs = order.withLock { $0.map(\.job.run) }
        let (own, other) = (bench.run, submission.id)
        if priority == .high {
            #expect(runs == [own, other, other, own, own])
        } else {
            #expect(Array(runs.prefix(2)) == [own, own])
        }
        // Nothing was burnt by giving the shard back.
        #expect(try await bench.shards().map(\.failures) == [0, 0, 0])
        #expect(try await bench.attempts().count { $0.outcome == .released } == (priority == .high ? 1 : 0))
        await bench.end()
    }
}
