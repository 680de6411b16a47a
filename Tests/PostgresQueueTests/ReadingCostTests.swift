import Postgres
import PostgresTesting
import Testing

@testable import JobQueue
@testable import PostgresQueue

/// What a worker asks of the queue reads the rows it names, whatever the planner knows of the tables: a scan of all shards
/// goes unnoticed in a small queue and stops a large one.
@Suite struct ReadingCostTests {
    enum Statistics: String, CaseIterable, Sendable {
        case none
        case allReady = "VACUUM (ANALYZE)"
    }

    @Test(arguments: Statistics.allCases)
    func aWorkersCallsReadNoMoreThanTheirShards(statistics: Statistics) async throws {
        try await withTestDatabase(poolSize: 1) { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission("aaaaaaaa", (0..<20).map { job($0, shards: 250) }))
            if statistics != .none { try await database.execute(statistics.rawValue) }
            let lease = try await queue.register(worker())

            func reads(_ name: String, _ call: () async throws -> Void) async throws {
                let before = try await database.rowsRead(of: "shard")
                try await call()
                let read = try await database.rowsRead(of: "shard") - before
                #expect(read <= 100, "\(name) read \(read) of 5000 shards")
            }
            for round in 0..<3 {
                var claimed: [ClaimedShard] = []
                try await reads("claim") { claimed = try await queue.claim(lease, limit: 4) }
                try #require(claimed.count == 4)
                try await reads("heartbeat") {
                    _ = try await queue.heartbeat(
                        lease, holding: claimed.map { $0.progress(samples: round == 0 ? 1 : 0, tokens: 1) })
                }
                try await reads("begin") { _ = try await queue.begin(claimed) }
                try await reads("commit") {
                    let outcome = try await queue.commit(claimed[0], publication(of: claimed[0]))
                    #expect(outcome == .committed)
                }
                try await reads("commit again") {
                    let outcome = try await queue.commit(claimed[0], publication(of: claimed[0]))
                    #expect(outcome == .already)
                }
                try await reads("fail") { _ = try await queue.fail(claimed[1], failure()) }
                try await reads("release") { _ = try await queue.release([claimed[2]]) }
                try await reads("heartbeat") { _ = try await queue.heartbeat(lease, holding: []) }
                try await reads("commit") {
                    let outcome = try await queue.commit(claimed[3], publication(of: claimed[3]))
                    #expect(outcome == .committed)
                }
            }
            try await reads("deregister") { try await queue.deregister(lease) }
        }
    }
}

extension TestDatabase {
    fileprivate func execute(_ script: String) async throws {
        try await self.pool.withConnection { try await $0.execute(script: script) }
    }

    /// Rows of a table that this session, the only one, has read so far.
    fileprivate func rowsRead(of table: String) async throws -> Int {
        try await self.execute("SELECT pg_stat_force_next_flush()")
        try await self.execute("SELECT pg_stat_clear_snapshot()")
        let rows = try await self.pool.query(
            PostgresStatement(
                name: "rows_read",
                sql: """
                    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_user_tables
                    WHERE relid = to_regclass($1::text)
                    """), [table])
        return try rows.only().decode("rows")
    }
}
