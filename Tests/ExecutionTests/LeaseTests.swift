import Execution
import JobQueue
import Logging
import MemoryQueue
import Testing
import WorkerLogic

/// What a worker does when its lease runs out or is lost.
@Suite(.timeLimit(.minutes(10))) struct LeaseTests {
    /// Safe for half a second.
    static let shortTTL: Duration = .milliseconds(600)

    /// Nobody else can have claimed the shard while there is no way to the database.
    @Test func whatWasBegunIsFinishedThoughTheLeaseRanOut() async throws {
        let bench = try await Bench(shards: 2)
        let faulty = FaultyQueue(bench.queue)
        let log = RecordingLog()
        let processor = ScriptedProcessor { shard in
            guard shard.index == 0 else { return .success(shard.publication) }
            faulty.set(.hangs, for: .any)
            while log.messages(.warning).allSatisfy({ !$0.hasPrefix("the lease could not be renewed") }) {
                await Task.yield()
            }
            faulty.set(nil, for: .any)
            return .success(shard.publication)
        }
        let summary = try await bench.worker(
            processor, queue: faulty, leaseTTL: Self.shortTTL, logger: log.logger
        ).run()
        #expect((summary.committed, summary.released, summary.fenced) == (2, 0, 0))
        #expect(processor.processed == [0, 1])
        #expect(try await bench.shards().map(\.epoch.rawValue) == [1, 1])
        #expect(try await bench.queue.workers().count == 1)
        await bench.end()
    }

    /// The worker's own connection renews what the heartbeat's can't.
    @Test func aHeartbeatThatHangsForEverCostsNothing() async throws {
        let bench = try await Bench(shards: 3)
        let faulty = FaultyQueue(bench.queue)
        faulty.set(.hangs, for: .heartbeat)
        let summary = try await bench.worker(.publishing, heartbeatQueue: faulty, leaseTTL: Self.shortTTL).run()
        #expect(summary.committed == 3)
        await bench.end()
    }

    /// Declared dead, but nobody has claimed the shard since: its result counts, under the claim that it was made for.
    @Test func aWorkerThatWasDeclaredDeadFinishesWhatNobodyElseHas() async throws {
        let bench = try await Bench(shards: 2)
        let queue = bench.queue
        let log = RecordingLog()
        let processor = ScriptedProcessor { shard in
            guard shard.index == 0, shard.epoch.rawValue == 1 else { return .success(shard.publication) }
            bench.clock.advance(by: 3_600)
            _ = try? await queue.reap()
            while log.registrations == 0 { await Task.yield() }
            return .success(shard.publication)
        }
        let summary = try await bench.worker(
            processor, leaseTTL: Self.shortTTL, prefetches: false, logger: log.logger
        ).run()
        #expect((summary.committed, summary.fenced, summary.released) == (2, 0, 0))
        #expect(processor.processed == [0, 1])
        #expect(try await bench.queue.workers().map(\.state).sorted { $0.rawValue < $1.rawValue } == [.dead, .left])
        let results = try await bench.queue.results(of: try await bench.queue.jobs(of: bench.run)[0].id)
        #expect(results.map(\.epoch.rawValue) == [1, 1])
        await bench.end()
    }

    /// Declared dead, and somebody else has the shard: there is no sense in going on with it.
    @Test func whatOthersHaveClaimedIsGivenUp() async throws {
        let bench = try await Bench(shards: 1)
        let queue = bench.queue
        let processor = ScriptedProcessor { shard in
            bench.clock.advance(by: 3_600)
            do {
                _ = try await queue.reap()
                let rival = try await queue.register(Bench.description)
                let taken = try await queue.claim(rival, limit: 1)
                // Only the database can end this.
                for await _ in AsyncStream<Void>.makeStream().stream {}
                for claimed in taken { _ = try await queue.commit(claimed, claimed.publication) }
            } catch {
                return .failure(ExecutionError(.permanent, "\(error)"))
            }
            return .failure(ExecutionError(.cancelled, "stopped"))
        }
        let summary = try await bench.worker(processor, leaseTTL: Self.shortTTL).run()
        #expect((summary.committed, summary.released) == (0, 1))
        #expect(try await bench.committedShards() == [0])
        #expect(try await bench.attempts().map(\.outcome) == [.lost, .done])
        await bench.end()
    }

    /// A shard that is prepared and not begun costs nothing to give up.
    @Test func aWorkerThatWasDeclaredDeadKeepsNothingThatItHasNotBegun() async throws {
        let bench = try await Bench(shards: 2)
        let (queue, steps, log) = (bench.queue, Steps(), RecordingLog())
        let processor = SteppedProcessor(steps) { step, index in
            guard step == .compute, index == 0 else { return }
            await steps.reached(.prepare, 1)
            bench.clock.advance(by: 3_600)
            _ = try? await queue.reap()
            while log.registrations == 0 { await Task.yield() }
        }
        let summary = try await bench.worker(processor, leaseTTL: Self.shortTTL, logger: log.logger).run()
        #expect(summary.committed == 2)
        #expect(try await bench.shards().map(\.epoch.rawValue) == [1, 2])
        await bench.end()
    }
}

extension RecordingLog {
    /// How often it was said that the worker got another lease.
    fileprivate var registrations: Int {
        self.messages(.warning).count { $0.hasPrefix("the worker was declared dead; registered again") }
    }
}
