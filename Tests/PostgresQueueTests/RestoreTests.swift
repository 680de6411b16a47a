import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// A dump that is restored into another cluster: the same queue goes on twice, and neither loses or doubles anything.
@Suite struct RestoreTests {
    @Test func aRestoredDumpGoesOnAsTheOriginalDoes() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission([job(shards: 8)]))
            let lease = try await queue.register(worker(), ttl: .seconds(3600))
            let shards = try await queue.claim(lease, limit: 5)
            _ = try await queue.commit(shards[0], publication(of: shards[0], seconds: 100))
            _ = try await queue.fail(shards[1], failure(isPermanent: true))
            try await queue.reapUntilCharged()
            // Ended, and not charged yet.
            _ = try await queue.commit(shards[2], publication(of: shards[2], seconds: 200))
            let before = try await queue.shards(of: shards[0].job)

            try await database.withRestoredCopy { copy in
                let copied = PostgresJobQueue(copy.pool)
                #expect(try await copied.shards(of: shards[0].job) == before)
                // What the other cluster has counted its transactions up to means nothing here: less, and soon more.
                try await copied.reap()
                try await burnTransactions(of: copy, until: transaction(of: database))
                // The worker says nothing to the copy.
                try await copy.pool.withConnection {
                    try await $0.execute(script: "UPDATE worker SET ttl_seconds = 0.5, lease_until = clock_timestamp()")
                }
                let deadline = ContinuousClock.now + .seconds(120)
                while try await copied.workers().contains(where: { $0.state == .live }), .now < deadline {
                    try await copied.reap()
                }
                try await goOn(copied, lost: 2)
                // The worker's own results, of claims that the copy has given to others meanwhile.
                #expect(try await copied.commit(shards[3], publication(of: shards[3])) == .fenced)
            }
            // The original knows nothing of its copy.
            #expect(try await queue.commit(shards[3], publication(of: shards[3], seconds: 0.5)) == .committed)
            try await queue.release([shards[4]])
            try await goOn(queue, lost: 0)
        }
    }

    /// Finishes the run, and compares everything that is counted.
    private func goOn(_ queue: PostgresJobQueue, lost: Int) async throws {
        let job = try await queue.onlyJob().id
        for _ in 0..<3 { try await queue.reap() }
        try await queue.finish(job.run)
        for _ in 0..<20 { try await queue.reap() }
        let results = try await queue.results(of: job)
        #expect(results.map(\.key.index) == [0, 2, 3, 4, 5, 6, 7])
        let attempts = try await queue.attempts(of: job)
        #expect(attempts.filter { $0.outcome == .done }.count == 7)
        #expect(attempts.filter { $0.outcome == .lost }.count == lost)
        #expect(try await queue.onlyJob().progress.shards.done == 7)
        // Each second of every attempt once; a little has decayed since.
        let seconds = attempts.compactMap(\.seconds).reduce(0, +)
        let used = try #require(try await queue.projects().first).usedSeconds
        #expect(abs(used - seconds) < 0.01 * seconds, "\(used) s were charged for \(seconds) s")
        #expect(try await queue.archive(olderThan: .zero, limit: 10) == 1)
        #expect(try await queue.results(of: job) == results)
    }

    private func transaction(of database: TestDatabase) async throws -> Int {
        try await database.pool.query(
            PostgresStatement(name: "transaction", sql: "SELECT pg_current_xact_id()::text::int8 AS number")
        ).only().decode("number")
    }

    private func burnTransactions(of database: TestDatabase, until target: Int) async throws {
        while try await transaction(of: database) <= target + 1000 {
            try await database.pool.withConnection {
                try await $0.execute(
                    script: """
                        DO $$ BEGIN
                            FOR number IN 1..5000 LOOP
                                PERFORM pg_current_xact_id();
                                COMMIT;
                            END LOOP;
                        END $$
                        """)
            }
        }
    }
}
