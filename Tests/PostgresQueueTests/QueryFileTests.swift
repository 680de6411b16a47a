import Foundation
import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue
@testable import PostgresQueue

@Suite struct QueryFileTests {
    private static var folder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "sql")
    }

    private func names(in folder: String) throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: folder).path())
        return Set(files.map { String($0.dropLast(".sql".count)) })
    }

    @Test func everyFileIsAQueryAndEveryQueryAFile() throws {
        #expect(try names(in: "queries") == Set(Query.all.map(\.name)))
        #expect(Query.all.count == Set(Query.all.map(\.name)).count)
        for query in Query.all {
            let file = Self.folder.appending(path: "queries/\(query.name).sql")
            #expect(try String(contentsOf: file, encoding: .utf8) == query.sql)
        }
    }

    @Test func everyFileOfFunctionsIsMadeAndNoMigrationDefinesThemSinceTheyStandThere() throws {
        #expect(try names(in: "functions") == Set(FunctionFile.all.map(\.name)))
        // Those that a table's checks call are the table's, and stay as they are.
        let definition = /CREATE (OR REPLACE )?FUNCTION (\w+)/.ignoresCase()
        let here = Set(FunctionFile.all.flatMap { $0.sql.matches(of: definition).map { String($0.output.2) } })
        #expect(here.count > 60)
        for migration in Migration.all where migration.version > 13 {
            let defined = migration.sql.matches(of: definition).map { String($0.output.2) }
            #expect(here.isDisjoint(with: defined), "\(migration.name)")
        }
    }

    @Test func everyFileIsAMigrationAndTheirNumbersRise() throws {
        #expect(
            try names(in: "migrations")
                == Set(Migration.all.map { "V\(String($0.version + 1000).dropFirst())_\($0.name)" }))
        let versions = Migration.all.map(\.version)
        #expect(versions.first == 1 && versions == Set(versions).sorted())
    }

    /// The server parses each statement and finds all that it names.
    @Test func everyQueryFitsTheSchema() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let connection = try await database.connect()
            let notPreparable: Set = ["create_migration_table", "create_function_table", "defer_function_checks"]
            for query in Query.all where !notPreparable.contains(query.name) {
                await #expect(throws: Never.self, "\(query.name)") {
                    try await connection.execute(script: "PREPARE check_\(query.name) AS \(query.sql)")
                }
            }
            await connection.close()
        }
    }
}
