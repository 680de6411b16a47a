import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

/// New databases are made from sql/tables, old ones brought there by sql/upgrades: both must come to the same, rows included.
@Suite struct UpgradeTests {
    /// What a program of that version has made: its steps, and rows that were written at the very first.
    private func makeOld(_ version: Int, _ database: TestDatabase) async throws {
        _ = try await database.pool.query(PostgresStatement(.createMigrationTable))
        for step in Migration.all where step.version <= version {
            try await database.pool.withTransaction { connection in
                try await connection.execute(script: step.sql, name: step.name)
                _ = try await connection.query(
                    PostgresStatement(.insertMigration), [step.version, step.name, step.sha256])
            }
            guard step.version == 1 else { continue }
            try await database.pool.withConnection { try await $0.execute(script: Self.rows) }
        }
    }

    /// A run of one job with a result, a failed attempt, and a shard that is still to be computed.
    private static let rows = """
        INSERT INTO project (name) VALUES ('evals');
        INSERT INTO run (run_id, project_id, name, user_name, tier, submission_sha256, specification)
        VALUES ('k3f9x2a0', 1, 'first', 'ada', 1, decode(repeat('ab', 32), 'hex'), '{}');
        INSERT INTO job_spec VALUES (decode(repeat('cd', 32), 'hex'), '{"old": true}');
        INSERT INTO job (
            run_id, ordinal, project_id, tier, max_attempts, need_gpu_mb, sample_count, shard_count, task, model,
            model_sha256, spec_sha256, need_labels)
        VALUES (
            'k3f9x2a0', 0, 1, 1, 3, 0, 20, 2, 'task', 'small', decode(repeat('ab', 32), 'hex'),
            decode(repeat('cd', 32), 'hex'), '{}');
        INSERT INTO worker (incarnation, ttl_seconds, lease_until, pid, gpu_mb, host, device, engine, labels, warm)
        VALUES (
            '11111111-1111-4111-8111-111111111111', 60, clock_timestamp(), 7, 0, 'node1', 'cpu', 'engine', '{}', '{}');
        INSERT INTO shard (
            job_id, shard_no, row_start, row_count, project_id, state, epoch, failures, samples_done, tokens_done,
            worker_id, incarnation, started_at, ended_at)
        VALUES (
            1, 0, 0, 10, 1, 'done', 2, 1, 10, 70, 1, '11111111-1111-4111-8111-111111111111', clock_timestamp(),
            clock_timestamp());
        INSERT INTO shard (job_id, shard_no, row_start, row_count, project_id) VALUES (1, 1, 10, 10, 1);
        INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at, seconds)
        VALUES (1, 0, 1, 'failed', 'broken', 1, clock_timestamp(), 0.5);
        INSERT INTO shard_result (
            job_id, shard_no, epoch, samples, incarnation, worker_id, bytes, tokens, seconds, started_at, sha256, path,
            digest)
        VALUES (
            1, 0, 2, 10, '11111111-1111-4111-8111-111111111111', 1, 100, 70, 1.5, clock_timestamp(),
            decode(repeat('ef', 32), 'hex'), 'runs/k3f9x2a0/old.h5', 'digest');
        INSERT INTO model (
            name, path, sha256, bytes, architecture, parameters, context_length, vocabulary_size, tokenizer_sha256,
            quantization)
        VALUES (
            'small', '/m.gguf', decode(repeat('ab', 32), 'hex'), 10, 'llama', 5, 64, 100,
            decode(repeat('ab', 32), 'hex'), 'Q4_1');
        """

    /// Everything that pg_dump says of the schema, functions included, and the rows that every database begins with.
    private func dump(_ database: TestDatabase) async throws -> String {
        let dump = try await database.dumpSchema().replacing(database.schema, with: "schema")
        let rows = try await database.pool.query(
            PostgresStatement(
                name: "first_rows",
                sql: """
                    SELECT concat_ws(' ', (SELECT min_program FROM schema_contract),
                        (SELECT cap_seconds FROM queue_clock),
                        (SELECT string_agg(name || every_seconds, ' ' ORDER BY name) FROM chore),
                        (SELECT string_agg(version || name || encode(sha256, 'hex'), ' ' ORDER BY version)
                            FROM schema_migration)) AS rows
                    """)
        ).only().decode("rows", as: String.self)
        // The tool's own key, which is another one each time.
        return dump.split(separator: "\n").filter { !$0.hasPrefix("\\") }.joined(separator: "\n") + rows
    }

    @Test(arguments: 1...22) func everyOlderDatabaseComesToWhatANewOneIs(version: Int) async throws {
        let new = try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            return try await dump(database)
        }
        try await withTestDatabase { database in
            try await makeOld(version, database)
            let migrator = Migrator(database.pool)
            let names = Migration.all.dropFirst(version).map(\.name) + ["functions"]
            #expect(try await migrator.status().pending == names)
            #expect(try await migrator.migrate(MigrationOptions(isForced: true)) == names)
            #expect(try await migrator.status().isCurrent)
            // Only programs made a database of this version, and they made the triggers with the functions.
            if version == 22 { try await database.pool.withConnection { try await $0.execute(script: Self.triggers) } }
            let upgraded = try await dump(database)
            #expect(upgraded == new, "the files of sql/tables and the steps of sql/upgrades differ")

            let queue = PostgresJobQueue(database.pool)
            let progress = try await queue.run(matching: "k3f9x2a0").progress
            #expect((progress.shards.done, progress.shards.ready, progress.samplesDone) == (1, 1, 10))
            let job = try await queue.onlyJob().id
            let results = try await queue.results(of: job)
            #expect(results.map(\.publication.path) == ["runs/k3f9x2a0/old.h5"])
            #expect(try await queue.attempts(of: job).map(\.outcome) == [.failed, .done])
            #expect(try await queue.models().map(\.name) == ["small"])
            // And the work goes on.
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: 5)
            #expect(claimed.count == 1)
            #expect(try await queue.commit(claimed.map { ShardCommit($0, publication(of: $0)) }) == [.committed])
        }
    }

    private static let triggers = Migration.all.last?.afterFunctions ?? ""

    @Test func severalAtOnceUpgradeOnce() async throws {
        try await withTestDatabase { database in
            try await makeOld(13, database)
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await Migrator(database.pool).migrate(MigrationOptions(isForced: true)).count }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.sorted() == [0, 0, 0, Migration.all.count - 13 + 1])
        }
    }

    /// No step is guessed for a history that is not that of this program as far as it goes.
    @Test(arguments: [
        "UPDATE schema_migration SET sha256 = decode(repeat('00', 32), 'hex') WHERE version = 5",
        "UPDATE schema_migration SET name = 'other' WHERE version = 13",
        "DELETE FROM schema_migration WHERE version = 7", "DELETE FROM schema_migration WHERE version = 1",
        "UPDATE schema_migration SET version = 23 WHERE version = 13",
    ])
    func aHistoryThatWasTamperedWithIsRefusedAndNothingChanges(script: String) async throws {
        try await withTestDatabase { database in
            try await makeOld(13, database)
            try await database.pool.withConnection { try await $0.execute(script: script) }
            let before = try await database.dumpSchema().split(separator: "\n").filter { !$0.hasPrefix("\\") }
            let error = await #expect(throws: QueueError.self) { try await Migrator(database.pool).migrate() }
            #expect(error?.code == .schema)
            #expect(error?.message.contains("an applied migration must never change") == true)
            let after = try await database.dumpSchema().split(separator: "\n").filter { !$0.hasPrefix("\\") }
            #expect(after == before)
        }
    }

    /// A new database remembers all steps, so that older programs see how new it is and repeat none of them.
    @Test func olderProgramsMeetANewDatabase() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let tooOld = Migrator(database.pool, migrations: Array(Migration.all.prefix(12)))
            let error = await #expect(throws: QueueError.self) { try await tooOld.migrate() }
            #expect(error?.code == .schema)
            #expect(error?.message.contains("use a newer program") == true)
            let compatible = Migrator(database.pool, migrations: Array(Migration.all.prefix(21)))
            #expect(try await compatible.migrate().isEmpty)
            #expect(try await compatible.status().isCurrent)
        }
    }
}
