import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue

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
            for history in [changed, Array(Migration.all.dropLast())] {
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

    @Test func aDatabaseWithoutTheSchemaSaysWhatToDo() async throws {
        try await withTestDatabase { database in
            let queue = PostgresJobQueue(database.pool)
            let error = await #expect(throws: QueueError.self) { try await queue.runs(limit: 1, project: nil) }
            #expect(error?.code == .schema)
            #expect(error?.message.contains("assay migrate") == true)
        }
    }
}
