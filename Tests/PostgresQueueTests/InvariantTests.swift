import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// What the database itself refuses, no matter who asks.
@Suite struct InvariantTests {
    private static let forbidden = [
        // History stays as it was written.
        "UPDATE shard_result SET path = 'other.h5'", "UPDATE job_spec SET specification = '[]'",
        "UPDATE attempt SET error = NULL", "UPDATE store_identity SET path = 'x'", "DELETE FROM store_identity",
        "TRUNCATE store_identity", "UPDATE withdrawn_result SET reason = 'x'", "DELETE FROM withdrawn_result",
        "TRUNCATE withdrawn_result",
        // What has a result stays.
        "DELETE FROM shard WHERE shard_no = 0", "DELETE FROM job", "DELETE FROM run",
        "INSERT INTO shard_result SELECT * FROM shard_result",
        // States that make no sense.
        "UPDATE shard SET state = 'ready' WHERE shard_no = 0", "UPDATE shard SET state = 'done' WHERE shard_no = 1",
        "UPDATE shard SET state = 'running' WHERE shard_no = 1",
        "UPDATE shard SET state = 'blocked' WHERE shard_no = 1",
        "UPDATE shard SET state = 'held', ended_at = now() WHERE shard_no = 1",
        "UPDATE shard SET samples_done = 5 WHERE shard_no = 0", "UPDATE shard SET samples_done = 11 WHERE shard_no = 1",
        "UPDATE shard SET epoch = 7 WHERE shard_no = 1", "UPDATE job SET is_cancelled = true",
        "UPDATE worker SET state = 'dead'", "UPDATE project SET weight = 0", "UPDATE project SET used_seconds = 'NaN'",
        "UPDATE job SET gate = 'held'", "UPDATE job SET gate = 'held', gate_reason = 'x'",
        "UPDATE job_tally SET ready = -1", "INSERT INTO job_dependency SELECT job_id, job_id, 'ok' FROM job",
        "UPDATE project SET hard_cap = -1", "UPDATE worker SET device_kind = 'a b'",
        "INSERT INTO queue_clock (is_only) VALUES (false)", "UPDATE usage_queue SET seconds = 'NaN'",
        "UPDATE shard SET avoid_worker = 1", "UPDATE job SET is_swept = false", "UPDATE run SET is_moved = false",
        "INSERT INTO job_need SELECT job_id, 'zzzzzzzz', NULL, 'ok' FROM job", "UPDATE run SET run_id = 'oooooooo'",
    ]

    @Test func nonsenseIsRefused() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission([job(shards: 2)]))
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            for (number, sql) in Self.forbidden.enumerated() {
                let error = await #expect(throws: PostgresError.self, "\(sql)") {
                    _ = try await database.pool.query(PostgresStatement(name: "forbidden_\(number)", sql: sql))
                }
                #expect(error?.sqlState?.hasPrefix("23") == true, "\(sql): \(error?.description ?? "")")
            }
        }
    }

    @Test(arguments: ["/etc/passwd", "../x.h5", "a/../b.h5", "a//b.h5", "./a.h5", "a\\b.h5", ""])
    func noPathLeavesTheStore(path: String) async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission([job(shards: 1)]))
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            // Past the checks of the client.
            let commit = PostgresStatement(
                name: "commit",
                sql: """
                    SELECT commit_shards(ARRAY[$1::int8], ARRAY[0], ARRAY[1], ARRAY[$2::uuid], ARRAY[$3::text],
                        ARRAY[1::int8], ARRAY[repeat('ab', 32)], ARRAY['d'], ARRAY[10], ARRAY[1::int8],
                        ARRAY[1::float8])
                    """)
            let error = await #expect(throws: PostgresError.self) {
                _ = try await database.pool.query(commit, [shard.job.number, shard.incarnation.uuid, path])
            }
            #expect(error?.sqlState == "23514")
            #expect(try await queue.shards(of: shard.job).map(\.state) == [.running])
        }
    }

    @Test func aRunWithoutJobsIsRefused() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let submit = PostgresStatement(
                name: "empty",
                sql: """
                    SELECT submit_run('aaaaaaaa', 'p', 'n', 'u', 0, repeat('ab', 32), '{}', ARRAY['{}'], '[]')
                    """)
            let error = await #expect(throws: PostgresError.self) { _ = try await database.pool.query(submit) }
            #expect(error?.sqlState == "22023")
            #expect(try await PostgresJobQueue(database.pool).runs(limit: 10, project: nil).isEmpty)
        }
    }

    /// An operator that fits better than the built-in one would run with the rights of the tables' owner.
    @Test func nobodyElseMakesAnythingInTheSchema() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            try await database.pool.withConnection {
                try await $0.execute(
                    script: """
                        DO $$ BEGIN
                            EXECUTE format('GRANT CREATE ON SCHEMA %I TO PUBLIC', current_schema());
                        END $$
                        """)
            }
            try await Migrator(database.pool).migrate(MigrationOptions(isForced: true))
            let open = PostgresStatement(
                name: "open", sql: "SELECT has_schema_privilege('public', current_schema(), 'CREATE') AS may")
            #expect(try await database.pool.query(open).only().decode("may", as: Bool.self) == false)
        }
    }
}
