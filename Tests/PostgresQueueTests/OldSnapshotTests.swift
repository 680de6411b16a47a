import FaultTesting
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// Somebody's transaction stays open while the queue works: no row that changes meanwhile can be removed, and whoever
/// comes by has to step over all that it was before.
@Suite struct OldSnapshotTests {
    private static let shards = 10_000
    /// Shards that are claimed, and committed, at once.
    private static let batch = 10
    /// How many claims, heartbeats and commits come between two rounds of chores.
    private static let rounds = 20
    /// How many come between two that are measured.
    private static let measured = 100

    /// An export by hand that was left open.
    @Test func aLongSnapshotMakesNothingDearerThanReadingEverythingOnce() async throws {
        try await Self.withStranger("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shard") { scene in
            #expect(try await scene.work() == Self.shards)
            try await scene.expectHeld()
            // For the stranger nothing has happened yet.
            let ready = PostgresStatement(name: "ready", sql: "SELECT count(*) AS n FROM shard WHERE state = 'ready'")
            #expect(try await scene.stranger.query(ready).only().decode("n", as: Int.self) == Self.shards)
            try await scene.expectAllDone()
        }
    }

    /// A correction by hand that was never committed.
    @Test func anIdleTransactionThatHoldsARowMakesNothingDearerThanReadingEverythingOnce() async throws {
        try await Self.withStranger("BEGIN; SELECT 1 FROM shard WHERE shard_no = 7 FOR UPDATE") { scene in
            #expect(try await scene.work() == Self.shards - 1)
            try await scene.expectHeld()
            try await scene.stranger.execute(script: "ROLLBACK")
            // The job was not switched off although nobody could have its last shard.
            #expect(try await scene.work() == 1)
            try await scene.expectAllDone()
        }
    }

    /// Runs `body` on a database of its own, as what it holds back would be held back for all tests of a shared one.
    private static func withStranger(_ script: String, _ body: (Scene) async throws -> Void) async throws {
        try await withOwnDatabase { owner, _, configuration in
            var patient = configuration
            // As workers have it: whatever takes longer fails, and the test with it.
            patient.statementTimeout = .seconds(30)
            // One connection, which knows all that it has read.
            let pool = PostgresPool(patient, on: owner.loop, size: 1)
            try await Migrator(pool).migrate()
            // What autovacuum reads is not the queue's.
            try await pool.withConnection { connection in
                try await connection.execute(
                    script: """
                        DO $$
                        DECLARE
                            v_table record;
                        BEGIN
                            FOR v_table IN SELECT oid::regclass AS name FROM pg_class
                                WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
                            LOOP
                                EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', v_table.name);
                            END LOOP;
                        END $$
                        """)
            }
            let queue = PostgresJobQueue(pool)
            try await queue.submit(submission([job(shards: Self.shards, rows: 1)]))
            let lease = try await queue.register(worker(), ttl: .seconds(3600))
            var other = configuration
            other.applicationName = "stranger"
            let stranger = try await PostgresConnection.connect(other, on: owner.loop)
            try await stranger.execute(script: script)
            try await body(Scene(queue: queue, pool: pool, lease: lease, stranger: stranger))
            await stranger.close()
            await pool.shutDown()
        }
    }

    /// A queue, a worker, and somebody who holds old rows.
    private struct Scene {
        let queue: PostgresJobQueue
        let pool: PostgresPool
        let lease: WorkerLease
        let stranger: PostgresConnection

        /// Claims and commits until nothing is left, each call in a transaction of its own, with chores now and then.
        ///
        /// - Returns: How many shards were committed.
        func work() async throws -> Int {
            var (committed, round) = (0, 0)
            while true {
                round += 1
                let isMeasured = round % OldSnapshotTests.measured == 0
                let claimed = try await self.bounded("claim", isMeasured) {
                    try await self.queue.claim(self.lease, limit: OldSnapshotTests.batch)
                }
                guard !claimed.isEmpty else { break }
                let reply = try await self.bounded("heartbeat", isMeasured) {
                    try await self.queue.heartbeat(
                        self.lease, holding: claimed.map { $0.progress(samples: 1, tokens: 1) })
                }
                #expect(reply.lost.isEmpty)
                let outcomes = try await self.bounded("commit", isMeasured) {
                    try await self.queue.commit(claimed.map { ShardCommit($0, publication(of: $0)) })
                }
                committed += outcomes.count { $0 == .committed }
                guard round % OldSnapshotTests.rounds == 0 else { continue }
                for chore in Chore.allCases {
                    _ = try await self.bounded("\(chore)", isMeasured) {
                        try await self.queue.run(chore, isForced: true)
                    }
                }
            }
            return committed
        }

        /// The stranger's transaction is older than every call, so that nothing of what they left behind was removed.
        func expectHeld() async throws {
            let age = try await self.number(
                """
                SELECT greatest(age(backend_xid), age(backend_xmin))::int8 AS n FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'stranger'
                """)
            // Each claim, heartbeat and commit is a transaction.
            #expect(age >= 3 * OldSnapshotTests.shards / OldSnapshotTests.batch, "\(age) transactions are younger")
        }

        /// What a call reads grows with what is in its way, but it steps over each row once, not once for each shard.
        ///
        /// Pages rather than time: they are the same on any machine.
        private func bounded<Value>(
            _ name: String, _ isMeasured: Bool, _ call: () async throws -> Value
        ) async throws -> Value {
            guard isMeasured else { return try await call() }
            let before = try await self.pagesRead()
            let value = try await call()
            let read = try await self.pagesRead() - before
            let all = try await self.number(
                """
                SELECT (sum(pg_relation_size(oid)) / current_setting('block_size')::int8)::int8 AS n FROM pg_class
                WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')
                """)
            #expect(read <= all + 500, "\(name) read \(read) pages, and there are \(all)")
            return value
        }

        /// Pages of tables and indexes that this session, the only one, has looked at so far.
        private func pagesRead() async throws -> Int {
            try await self.pool.withConnection { connection in
                try await connection.execute(script: "SELECT pg_stat_force_next_flush()")
                try await connection.execute(script: "SELECT pg_stat_clear_snapshot()")
            }
            return try await self.number(
                """
                SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::int8 AS n
                FROM pg_statio_user_tables
                """)
        }

        private func number(_ sql: String) async throws -> Int {
            try await self.pool.query(PostgresStatement(name: "number", sql: sql)).only().decode("n", as: Int.self)
        }

        /// Nothing was lost, counted twice or charged twice, and no chore has failed.
        func expectAllDone() async throws {
            for chore in Chore.allCases { try await self.queue.run(chore, isForced: true) }
            #expect(try await self.queue.chores().allSatisfy { $0.error == nil && $0.succeededAt != nil })
            let progress = try await self.queue.onlyJob().progress.shards
            #expect((progress.done, progress.ready, progress.running) == (OldSnapshotTests.shards, 0, 0))
            let attempts = try await self.queue.attempts(of: try await self.queue.onlyJob().id)
            #expect(attempts.count == OldSnapshotTests.shards && attempts.allSatisfy { $0.outcome == .done })
            let seconds = 1.5 * Double(OldSnapshotTests.shards)
            let used = try #require(try await self.queue.projects().first).usedSeconds
            #expect(abs(used - seconds) < 0.01 * seconds, "\(used) s were charged for \(seconds) s")
            try await Certificate.record(["transaction of a stranger that stays open": 1], in: self.pool)
        }
    }
}
