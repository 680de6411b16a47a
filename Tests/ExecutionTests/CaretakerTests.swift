import Execution
import JobQueue
import MemoryQueue
import Testing
import UVEventLoop
import WorkerLogic

@Suite struct CaretakerTests {
    /// With the next shard always claimed ahead a worker never asks for work in a way that also looks for the dead.
    @Test func theDeadAreNoticedWhileEverybodyIsBusy() async throws {
        let bench = try await Bench(shards: 3)
        let dead = try await bench.queue.register(Bench.description, ttl: .seconds(30))
        #expect(try await bench.queue.claim(dead, limit: 1).map(\.index) == [0])
        let processor = ScriptedProcessor { shard in
            guard shard.index == 1 else { return .success(shard.publication) }
            // The lease of the dead one ends, this worker's own does not.
            bench.clock.advance(by: 31)
            var state: WorkerState?
            for _ in 0..<5000 {
                state = try? await bench.queue.workers().first { $0.id == dead.worker }?.state
                if state == .dead { break }
                try? await bench.loop.sleep(for: .milliseconds(1))
            }
            #expect(state == .dead)
            return .success(shard.publication)
        }
        let summary = try await bench.worker(processor, careInterval: 0.001...0.002).run()
        #expect(summary.committed == 3)
        await bench.end()
    }
}
