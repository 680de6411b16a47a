import Execution
import JobQueue
import Testing

/// What a worker does when its lease runs out or is lost.
@Suite(.timeLimit(.minutes(10))) struct LeaseTests {
    /// Safe for half a second.
    static let shortTTL: Duration = .milliseconds(600)

    @Test func aHeartbeatThatHangsDoesNotDelayTheLeasesEnd() async throws {
        let bench = try await Bench(shards: 1)
        let faulty = FaultyQueue(bench.queue)
        faulty.set(.hangs, for: .heartbeat)
        let processor = ScriptedProcessor.untilCancelled { shard in
            // The network is back: the lease can be renewed, and the shard be tried again.
            faulty.set(nil, for: .heartbeat)
            return shard.epoch.rawValue == 1
                ? .failure(ExecutionError(.cancelled, "stopped")) : .success(shard.publication)
        }
        let again = ScriptedProcessor { shard in
            shard.epoch.rawValue == 1 ? await processor.process(shard) : .success(shard.publication)
        }
        let start = ContinuousClock.now
        let summary = try await bench.worker(again, heartbeatQueue: faulty, leaseTTL: Self.shortTTL).run()
        #expect(ContinuousClock.now - start >= Self.shortTTL - Self.shortTTL / 6)
        // On a busy machine the next lease may run out as well before it is renewed.
        #expect(summary.released >= 1)
        #expect(summary.committed == 1)
        #expect(try await bench.shards().map(\.failures) == [0])
        await bench.end()
    }

    @Test func aResultThatIsFinishedAfterTheLeaseRanOutIsStillGood() async throws {
        let bench = try await Bench(shards: 1)
        let faulty = FaultyQueue(bench.queue)
        faulty.set(.hangs, for: .heartbeat)
        let processor = ScriptedProcessor.untilCancelled { .success($0.publication) }
        let summary = try await bench.worker(processor, heartbeatQueue: faulty, leaseTTL: Self.shortTTL).run()
        #expect(summary.committed == 1)
        #expect(processor.processed == [0])
        await bench.end()
    }

    @Test func aWorkerThatKnowsItselfDeadCommitsNothing() async throws {
        let bench = try await Bench(shards: 1)
        let queue = bench.queue
        let processor = ScriptedProcessor { shard in
            guard shard.epoch.rawValue == 1 else { return .success(shard.publication) }
            // Declared dead, but nobody has claimed the shard since: the queue would take the result.
            bench.clock.advance(by: 3_600)
            _ = try? await queue.reap()
            for await _ in AsyncStream<Void>.makeStream().stream {}
            return .success(shard.publication)
        }
        let summary = try await bench.worker(processor, leaseTTL: Self.shortTTL).run()
        #expect(summary.fenced == 1)
        #expect(summary.committed == 1)
        #expect(try await bench.queue.workers().count == 2)
        let results = try await bench.queue.results(of: try await bench.queue.jobs(of: bench.run)[0].id)
        #expect(results.map(\.epoch.rawValue) == [2])
        await bench.end()
    }
}
