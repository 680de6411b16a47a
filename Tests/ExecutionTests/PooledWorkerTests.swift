import Execution
import JobQueue
import Logging
import Postgres
import PostgresQueue
import PostgresTesting
import Testing
import UVEventLoop
import WorkerLogic

/// A worker whose database stands behind a PgBouncer in transaction mode.
@Suite(.timeLimit(.minutes(10))) struct PooledWorkerTests {
    @Test func itFindsLateWorkByPollingAndDoesAllOfIt() async throws {
        try await withPooledTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool, pollInterval: 0.01...0.02)
            let heartbeatLoop = try EventLoop(name: "heartbeat")
            let heartbeatPool = PostgresPool(database.configuration, on: heartbeatLoop, size: 2)
            let processor = ScriptedProcessor.publishing
            let worker = Worker(
                description: Bench.description, options: WorkerOptions(leaseTTL: .seconds(3)), queue: queue,
                heartbeatQueue: PostgresJobQueue(heartbeatPool), heartbeatLoop: heartbeatLoop, processor: processor,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { Issue.record("the worker hangs: \($0)") }
            let work = Task { try await worker.run() }
            while try await queue.workers().isEmpty { try await database.loop.sleep(for: .milliseconds(10)) }
            let run = try await queue.submit(Bench.submission(shards: 6))
            while try await queue.openShardCount(run: run.id) > 0 {
                try await database.loop.sleep(for: .milliseconds(10))
            }
            worker.drain()
            #expect(try await work.value.committed == 6)
            #expect(processor.processed == Array(0..<6))
            await heartbeatPool.shutDown()
            await heartbeatLoop.shutDown()
        }
    }
}
