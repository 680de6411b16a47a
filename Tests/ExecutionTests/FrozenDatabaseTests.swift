import Execution
import JobQueue
import Logging
import Postgres
import PostgresTesting
import Testing
import UVEventLoop

/// A worker on a real database whose network swallows everything for a while.
@Suite(.timeLimit(.minutes(10))) struct FrozenDatabaseTests {
    private static let ttl: Duration = .milliseconds(1_500)

    @Test func theLeaseEndsInTimeAndTheWorkGoesOnAfterwards() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let run = try await queue.submit(Bench.submission(shards: 1))
            let proxy = try await StallingProxy(before: database)
            let loop = try EventLoop(name: "heartbeat")
            let processor = ScriptedProcessor { shard in
                guard shard.epoch.rawValue == 1 else { return .success(shard.publication) }
                await proxy.freeze()
                // Only the lease's end can end this.
                for await _ in AsyncStream<Void>.makeStream().stream {}
                await proxy.thaw()
                return .failure(ExecutionError(.cancelled, "stopped"))
            }
            let summary = try await Self.worker(processor, proxy, database.loop, loop).run()
            #expect(summary.released == 1)
            #expect(summary.committed == 1)
            #expect(processor.processed == [0, 0])
            let job = try #require(try await queue.jobs(of: run.id).first)
            #expect(job.progress.shards.done == 1)
            await loop.shutDown()
            await proxy.close()
        }
    }

    @Test func aShardFinishedWhileTheNetworkWasDeadIsCommittedAfterwards() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let run = try await queue.submit(Bench.submission(shards: 1))
            let proxy = try await StallingProxy(before: database)
            let loop = try EventLoop(name: "heartbeat")
            let processor = ScriptedProcessor { shard in
                await proxy.freeze()
                for await _ in AsyncStream<Void>.makeStream().stream {}
                // The commit begins while the network is still dead, on a connection that never answers.
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
        _ processor: any ShardProcessor, _ proxy: StallingProxy, _ loop: EventLoop, _ heartbeatLoop: EventLoop
    ) -> Worker {
        var configuration = proxy.configuration
        configuration.statementTimeout = .seconds(2)
        configuration.cancelTimeout = .milliseconds(500)
        var pooling = PostgresPool.Options()
        pooling.reconnectTimeout = .zero
        let pool = PostgresPool(configuration, on: loop, options: pooling)
        let patience = WorkerLease.heartbeatTimeout(ttl: self.ttl)
        configuration.connectTimeout = patience
        configuration.statementTimeout = patience
        configuration.cancelTimeout = .zero
        pooling.size = 2
        let heartbeatPool = PostgresPool(configuration, on: heartbeatLoop, options: pooling)
        return Worker(
            description: Bench.description, options: WorkerOptions(endsWhenDrained: true, leaseTTL: self.ttl),
            queue: PostgresJobQueue(pool, pollInterval: 0.01...0.02),
            heartbeatQueue: PostgresJobQueue(heartbeatPool), heartbeatLoop: heartbeatLoop, processor: processor,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
