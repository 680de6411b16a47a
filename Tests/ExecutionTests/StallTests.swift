import JobQueue
import Logging
import MemoryQueue
import Synchronization
import Testing
import UVEventLoop
import WorkerLogic

@testable import Execution

/// Work that hangs: nothing in the process can end it, so the worker leaves the queue and has its process ended.
@Suite(.timeLimit(.minutes(5))) struct StallTests {
    /// Runs a worker whose one shard hangs in a step, until it says so.
    private func hang(in hanging: Step, _ look: (Bench, String) async throws -> Void) async throws {
        let bench = try await Bench(shards: 1)
        let (log, reason) = (RecordingLog(), PendingResult<String>())
        let release = PendingResult<Void>()
        let processor = SteppedProcessor(Steps()) { step, _ in
            if step == hanging { try? await release.value {} }
        }
        let worker = bench.worker(
            processor, leaseTTL: .milliseconds(300), storePatience: .zero, stallLimit: .milliseconds(150),
            logger: log.logger
        ) { reason.finish(.success($0)) }
        let work = Task { try await worker.run() }
        try await look(bench, try await reason.value {})
        #expect(log.messages(.error).count { $0.contains("ending this process") } == 1)
        // In a program the process has ended by now.
        work.cancel()
        release.finish(.success(()))
        _ = try? await work.value
        await bench.end()
    }

    @Test(arguments: [Step.prepare, .publish])
    func aHungStoreGivesTheShardBack(_ step: Step) async throws {
        try await self.hang(in: step) { bench, reason in
            #expect(reason.contains("the store's file system seems to hang"))
            let (workers, shards) = (try await bench.queue.workers(), try await bench.shards())
            #expect(workers.map(\.state) == [.left])
            #expect(shards.map(\.state) == [.ready])
            #expect(shards.map(\.failures) == [0])
        }
    }

    /// A shard that hangs every device that it comes to must not go round for ever.
    @Test func aHungDeviceIsAFailedAttempt() async throws {
        try await self.hang(in: .compute) { bench, reason in
            #expect(reason.contains("the device or its driver seems to hang"))
            #expect(try await bench.queue.workers().map(\.state) == [.left])
            #expect(try await bench.shards().map(\.failures) == [1])
            let messages = try await bench.attempts().compactMap(\.error)
            #expect(messages.count { $0.contains("shown no progress") } == 1)
        }
    }

    @Test func slowWorkThatMovesIsLeftInPeace() async throws {
        let bench = try await Bench(shards: 1)
        let processor = MovingProcessor(loop: bench.loop)
        let summary = try await bench.worker(
            processor, leaseTTL: .milliseconds(300), storePatience: .zero, stallLimit: .milliseconds(200)
        ).run()
        #expect(summary.committed == 1)
        await bench.end()
    }
}

/// Takes long for everything, and shows that it moves.
private struct MovingProcessor: ShardProcessor, PreparedShard, ComputedShard {
    let loop: EventLoop
    var shard: ClaimedShard?

    func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard {
        MovingProcessor(loop: self.loop, shard: shard)
    }

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard {
        await self.move { progress(0, 0) }
        return self
    }

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        await self.move(sign)
        guard let shard = self.shard else { throw ExecutionError(.permanent, "not prepared") }
        return shard.publication
    }

    private func move(_ sign: () -> Void) async {
        for _ in 0..<30 {
            try? await self.loop.sleep(for: .milliseconds(20))
            sign()
        }
    }
}
