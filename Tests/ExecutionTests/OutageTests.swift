import Execution
import JobQueue
import Logging
import MemoryQueue
import Testing
import WorkerLogic

/// What a worker does while there is no database.
@Suite(.timeLimit(.minutes(10))) struct OutageTests {
    @Test func aFinishedShardIsCommittedAfterTheOutage() async throws {
        let bench = try await Bench(shards: 2)
        let faulty = FaultyQueue(bench.queue)
        let log = RecordingLog()
        let processor = ScriptedProcessor { shard in
            if shard.index == 0 { faulty.set(.unavailable(6), for: .any) }
            return .success(shard.publication)
        }
        let summary = try await bench.worker(processor, queue: faulty, logger: log.logger).run()
        #expect(summary.committed == 2)
        #expect(processor.processed == [0, 1])
        #expect(log.messages(.warning).map { $0.prefix(11) } == ["no database"])
        #expect(log.messages(.notice) == ["the database is back"])
        await bench.end()
    }

    /// `assay migrate` beside a worker of the release before: for a moment nothing fits.
    @Test(arguments: [FaultyQueue.Call.claim, .commit, .heartbeat, .any])
    func aMigrationIsWaitedOut(_ call: FaultyQueue.Call) async throws {
        let bench = try await Bench(shards: 2)
        let faulty = FaultyQueue(bench.queue)
        let log = RecordingLog()
        let processor = ScriptedProcessor { shard in
            if shard.index == 0 { faulty.set(.misfit(4), for: call) }
            return .success(shard.publication)
        }
        let summary = try await bench.worker(
            processor, queue: faulty, leaseTTL: .milliseconds(600), logger: log.logger
        ).run()
        #expect((summary.committed, summary.fenced, summary.released) == (2, 0, 0))
        #expect(processor.processed == [0, 1])
        if call == .commit { #expect(log.messages(.warning).contains { $0.contains("as while it is migrated") }) }
        await bench.end()
    }

    @Test func failuresAreRecordedAfterTheOutage() async throws {
        let bench = try await Bench(shards: 1)
        let faulty = FaultyQueue(bench.queue)
        faulty.set(.unavailable(2), for: .fail)
        let processor = ScriptedProcessor { _ in .failure(ExecutionError(.permanent, "row 1 is bad")) }
        #expect(try await bench.worker(processor, queue: faulty).run().failed == 1)
        #expect(try await bench.attempts().compactMap(\.error) == ["row 1 is bad"])
        await bench.end()
    }

    @Test func anIdleWorkerSurvivesAnOutage() async throws {
        let bench = try await Bench(shards: 3)
        let faulty = FaultyQueue(bench.queue)
        faulty.set(.unavailable(2), for: .register)
        faulty.set(.unavailable(2), for: .claim)
        let log = RecordingLog()
        let summary = try await bench.worker(.publishing, queue: faulty, logger: log.logger).run()
        #expect(summary.committed == 3)
        #expect(log.messages(.notice).count == 2)
        await bench.end()
    }

    @Test(arguments: [FaultyQueue.Call.register, .claim])
    func aWorkerCanBeDrainedWithoutADatabase(_ call: FaultyQueue.Call) async throws {
        let bench = try await Bench(shards: 1)
        let faulty = FaultyQueue(bench.queue)
        faulty.set(.unavailable(.max), for: call)
        let log = RecordingLog()
        let worker = bench.worker(.publishing, queue: faulty, logger: log.logger)
        let work = Task { try await worker.run() }
        while log.messages(.warning).isEmpty { await Task.yield() }
        worker.drain()
        #expect(try await work.value.committed == 0)
        #expect(try await bench.queue.openShardCount(run: nil) == 1)
        await bench.end()
    }
}
