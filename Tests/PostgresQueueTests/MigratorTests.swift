import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

@Suite struct MigratorTests {
    @Test func migratesOnceAndSaysSo() async throws {
        try await withTestDatabase { database in
            let migrator = Migrator(database.pool)
            let before = try await migrator.status()
            #expect((before.version, before.isCurrent, before.pending.first) == (0, false, "tables"))
            #expect(try await migrator.migrate() == Migration.all.map(\.name) + ["functions"])
            #expect(try await migrator.migrate().isEmpty)
            let after = try await migrator.status()
            #expect((after.version, after.isCurrent) == (Migration.all.last?.version, true))
            #expect(after.applied.map(\.sha256) == Migration.all.map(\.sha256))
        }
    }

    @Test func severalAtOnceDoNoHarm() async throws {
        try await withTestDatabase { database in
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await Migrator(database.pool).migrate().count }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.sorted() == [0, 0, 0, Migration.all.count + 1])
        }
    }

    /// A definition that is not this program's is replaced, and everything that stood in a migration stays.
    @Test func functionsAreBroughtUpToDateByThemselves() async throws {
        try await withTestDatabase { database in
            let migrator = Migrator(database.pool)
            try await migrator.migrate()
            let connection = try await database.connect()
            try await connection.execute(
                script: """
                    CREATE OR REPLACE FUNCTION run_is_open(p_run text) RETURNS boolean LANGUAGE sql AS 'SELECT NULL::boolean';
                    UPDATE schema_functions SET sha256 = decode(repeat('00', 32), 'hex')
                    """)
            #expect(try await migrator.status().pending == ["functions"])
            #expect(try await migrator.migrate() == ["functions"])
            let open = try await connection.query(
                PostgresStatement(name: "is_open", sql: "SELECT run_is_open('none') AS open")
            ).only()
            #expect(try open.decode("open", as: Bool.self) == false)
            await connection.close()
        }
    }

    @Test func refusesAnotherHistoryAndChangesNothing() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            var changed = Migration.all
            changed[1] = Migration(version: 2, name: changed[1].name, sql: changed[1].sql + "\n")
            for history in [changed, Array(Migration.all.prefix(5))] {
                let migrator = Migrator(database.pool, migrations: history)
                let error = await #expect(throws: QueueError.self) { try await migrator.migrate() }
                #expect(error?.code == .schema)
                let status = await #expect(throws: QueueError.self) { try await migrator.status() }
                #expect(status?.code == .schema)
            }
            #expect(try await Migrator(database.pool).status().isCurrent)
        }
    }

    @Test func aBrokenMigrationLeavesNothingBehind() async throws {
        try await withTestDatabase { database in
            let broken =
                Migration.all + [
                    Migration(
                        version: 9999, name: "broken",
                        sql: "CREATE TABLE half (x integer); SELECT no_such;")
                ]
            let error = await #expect(throws: QueueError.self) {
                try await Migrator(database.pool, migrations: broken).migrate()
            }
            #expect(error?.message.contains("broken") == true)
            let status = try await Migrator(database.pool).status()
            #expect(status.version == 0)
        }
    }

    /// One that says that this program still works with it is used as it is, and its functions stay.
    @Test func aNewerDatabaseIsUsedAsLongAsItSaysSo() async throws {
        try await withTestDatabase { database in
            let newer =
                Migration.all + [
                    Migration(
                        version: 9998, name: "expanded",
                        sql: """
                            ALTER TABLE run ADD COLUMN mood text;
                            UPDATE schema_functions SET sha256 = decode(repeat('00', 32), 'hex');
                            """)
                ]
            try await Migrator(database.pool, migrations: newer).migrate()
            let connection = try await database.connect()
            try await connection.execute(
                script: "UPDATE schema_functions SET sha256 = decode(repeat('00', 32), 'hex')")
            await connection.close()
            let migrator = Migrator(database.pool)
            let status = try await migrator.status()
            #expect(status.isCurrent && status.version == 9998)
            #expect(try await migrator.migrate().isEmpty)
            try await PostgresJobQueue(database.pool).submit(submission())

            let contracted =
                newer + [
                    Migration(
                        version: 9999, name: "contracted", sql: "UPDATE schema_contract SET min_program = 9999")
                ]
            try await Migrator(database.pool, migrations: contracted).migrate()
            let error = await #expect(throws: QueueError.self) { try await migrator.status() }
            #expect(error?.code == .schema)
            #expect(error?.message.contains("know version 9999") == true)
        }
    }

    @Test func workersAreNotLockedOutUnasked() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let lease = try await queue.register(worker())
            let contracted =
                Migration.all + [
                    Migration(
                        version: 9999, name: "contracted", sql: "UPDATE schema_contract SET min_program = 9999")
                ]
            let migrator = Migrator(database.pool, migrations: contracted)
            let error = await #expect(throws: QueueError.self) { try await migrator.migrate() }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("\(lease.worker) on node1") == true)
            #expect(error?.message.contains("assay worker drain") == true)
            #expect(try await Migrator(database.pool).status().isCurrent)
            try await migrator.migrate(MigrationOptions(isForced: true))
            await #expect(throws: QueueError.self) { try await Migrator(database.pool).status() }
        }
    }

    /// Somebody's open transaction is named, and who comes after the migration's try does not wait for it.
    @Test func aLockThatOthersHoldIsNotWaitedForLong() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission())
            let expanded =
                Migration.all + [
                    Migration(version: 9999, name: "expanded", sql: "ALTER TABLE run ADD COLUMN mood text")
                ]
            let migrator = Migrator(database.pool, migrations: expanded)
            let notebook = try await database.connect()
            try await notebook.execute(script: "BEGIN; SELECT count(*) FROM run")
            let error = await #expect(throws: QueueError.self) {
                try await migrator.migrate(MigrationOptions(patience: .zero))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("transaction open for") == true)
            #expect(error?.message.contains(database.schema) == true)
            // Nothing of the try is left, and nobody waits for the notebook.
            #expect(try await queue.runs(limit: 1, project: nil).count == 1)
            try await notebook.execute(script: "COMMIT")
            #expect(try await migrator.migrate() == ["expanded"])
            await notebook.close()
        }
    }

    @Test func aDatabaseWithoutTheSchemaSaysWhatToDo() async throws {
        try await withTestDatabase { database in
            let queue = PostgresJobQueue(database.pool)
            let error = await #expect(throws: QueueError.self) { try await queue.runs(limit: 1, project: nil) }
            #expect(error?.code == .schema)
            #expect(error?.message.contains("assay migrate") == true)
        }
    }
}
