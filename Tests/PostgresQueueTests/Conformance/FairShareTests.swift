import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import SQL
import Testing

@Suite struct FairShareTests {
    /// Device time counts once a reaper has charged it; a warm model is worth less than that here.
    @Test(arguments: Implementation.allCases)
    func usedTimeComesBeforeSubmissionOrder(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission("00000001", project: "spender", [job(shards: 2)]))
            try await test.queue.submit(submission("00000002", project: "saver", [job(shards: 1, model: hexadecimalB)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(86_400))
            let spent = try #require(try await test.queue.claim(lease, limit: 1).first)
            #expect(spent.run.text == "00000001")
            #expect(try await test.queue.commit(spent, publication(of: spent, seconds: 5000)) == .committed)
            // Until it is charged, the spender's warm model decides.
            let early = try #require(try await test.queue.claim(lease, limit: 1).first)
            #expect(early.run == spent.run)
            try await test.queue.release([early])
            try await test.queue.reap()
            #expect(try await test.queue.claim(lease, limit: 1).first?.run.text == "00000002")
        }
    }

    /// Each second is charged once, however often and by how many the reaper runs.
    @Test func deviceTimeIsChargedExactlyOnce() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission([job(shards: 12, maxAttempts: 1)]))
            let lease = try await queue.register(worker())
            for shard in try await queue.claim(lease, limit: 12) {
                if shard.index % 3 == 0 {
                    _ = try await queue.fail(shard, failure())
                } else {
                    _ = try await queue.commit(shard, publication(of: shard, seconds: 2))
                }
                try await queue.reap()
            }
            let used = PostgresStatement(name: "used", sql: "SELECT used_seconds FROM project")
            try await withThrowingTaskGroup { group in
                for _ in 0..<3 {
                    group.addTask { _ = try await queue.reap() }
                }
                try await group.waitForAll()
            }
            // The half-life is a week: nothing fades within this test beyond the last digits.
            let seconds: Double = try await database.pool.query(used).only().decode("used_seconds")
            #expect(abs(seconds - 18) < 0.1)
        }
    }
}
