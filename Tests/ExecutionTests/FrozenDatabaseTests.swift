import Execution
import JobQueue
import Logging
import Postgres
import PostgresQueue
import PostgresTesting
import Testing
import UVEventLoop
import WorkerLogic

/// A worker on a real database whose network swallows everything for a while.
@Suite(.timeLimit(.minutes(10))) struct FrozenDatabaseTests {
    private static let ttl: Duration = .milliseconds(1_500)
    /// One that does not run out by itself on a busy machine, where that is not what the test is about.
    private static let longTTL: Duration = .seconds(15)

    /// The network is dead for longer than the lease lasts: a worker that comes back finds that its shard is still its own.
    @Test func whatIsComputedMeanwhileIsCommittedAfterwards() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let run = try await queue.submit(Bench.submission(shards: 2))
            let proxy = try await StallingProxy(before: database)
            let loop = try EventLoop(name: "heartbeat")
            let log = RecordingLog()
            let processor = ScriptedProcessor { shard in
                guard shard.index == 0 else { return .success(shard.publication) }
                await proxy.freeze()
                while log.messages(.warning).allSatisfy({ !$0.hasPrefix("the lease could not be renewed") }) {
                    try? await database.loop.sleep(for: .milliseconds(10))
                }
                await proxy.thaw()
                return .success(shard.publication)
            }
            let summary = try await Self.worker(processor, proxy, database.loop, loop, log.logger).run()
            #expect((summary.committed, summary.released, summary.fenced) == (2, 0, 0))
            #expect(processor.processed == [0, 1])
            let job = try #require(try await queue.jobs(of: run.id).first)
            #expect(try await queue.results(of: job.id).map(\.epoch.rawValue) == [1, 1])
            await loop.shutDown()
            await proxy.close()
        }
    }

    /// Declared dead meanwhile; the claim that nobody else has taken is good, and older ones are told apart.
    @Test func aWorkerThatWasDeclaredDeadCommitsUnderItsOldClaim() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let run = try await queue.submit(Bench.submission(shards: 2))
            let proxy = try await StallingProxy(before: database)
            let loop = try EventLoop(name: "heartbeat")
            let log = RecordingLog()
            let statement = PostgresStatement(
                name: "kill", sql: "UPDATE worker SET state = 'dead', ended_at = clock_timestamp() WHERE state = 'live'"
            )
            let processor = ScriptedProcessor { shard in
                guard shard.index == 0 else { return .success(shard.publication) }
                _ = try? await database.pool.query(statement)
                _ = try? await queue.reap()
                while log.messages(.warning).allSatisfy({ !$0.contains("registered again") }) {
                    try? await database.loop.sleep(for: .milliseconds(10))
                }
                return .success(shard.publication)
            }
            let summary = try await Self.worker(
                processor, proxy, database.loop, loop, log.logger, ttl: Self.longTTL
            ).run()
            #expect((summary.committed, summary.released, summary.fenced) == (2, 0, 0))
            #expect(processor.processed == [0, 1])
            let job = try #require(try await queue.jobs(of: run.id).first)
            // What was only fetched ahead is given up, and claimed anew.
            let epochs = try await queue.results(of: job.id).map(\.epoch.rawValue)
            #expect(epochs.count == 2)
            #expect(epochs.first == 1)
            await loop.shutDown()
            await proxy.close()
        }
    }

    /// The commit begins while the network is dead, on a connection that never answers.
    @Test func aCommitThatHangsIsRepeatedOnAnotherConnection() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let run = try await queue.submit(Bench.submission(shards: 1))
            let proxy = try await StallingProxy(before: database)
            let loop = try EventLoop(name: "heartbeat")
            let processor = ScriptedProcessor { shard in
                await proxy.freeze()
                Task {
                    try await database.loop.sleep(for: .milliseconds(300))
                    await proxy.cut()
                    await proxy.thaw()
                }
                return .success(shard.publication)
            }
            let summary = try await Self.worker(processor, proxy, database.loop, loop).run()
            #expect(summary.committed == 1)
            #expect(processor.processed == [0])
            let job = try #require(try await queue.jobs(of: run.id).first)
            #expect(try await queue.results(of: job.id).map(\.epoch.rawValue) == [1])
            await loop.shutDown()
            await proxy.close()
        }
    }

    /// Set up as the program does it.
    private static func worker(
        _ processor: any ShardProcessor, _ proxy: StallingProxy, _ loop: EventLoop, _ heartbeatLoop: EventLoop,
        _ logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, ttl: Duration = Self.ttl
    ) -> Worker {
        var configuration = proxy.configuration
        configuration.statementTimeout = .seconds(2)
        configuration.cancelTimeout = .milliseconds(500)
        var pooling = PostgresPool.Options()
        pooling.reconnectTimeout = .zero
        let pool = PostgresPool(configuration, on: loop, options: pooling)
        let patience = WorkerLease.heartbeatTimeout(ttl: ttl)
        configuration.connectTimeout = patience
        configuration.statementTimeout = patience
        configuration.cancelTimeout = .zero
        pooling.size = 2
        let heartbeatPool = PostgresPool(configuration, on: heartbeatLoop, options: pooling)
        return Worker(
            description: Bench.description, options: WorkerOptions(endsWhenDrained: true, leaseTTL: ttl),
            queue: PostgresJobQueue(pool, pollInterval: 0.01...0.02),
            heartbeatQueue: PostgresJobQueue(heartbeatPool), heartbeatLoop: heartbeatLoop, processor: processor,
            logger: logger
        ) { Issue.record("the worker hangs: \($0)") }
    }
}
