import Foundation
import Postgres
import PostgresTesting
import SQL
import Testing

@testable import JobQueue

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

    @Test func everyFileIsAMigrationAndTheirNumbersHaveNoGaps() throws {
        #expect(
            try names(in: "migrations")
                == Set(Migration.all.map { "V\(String($0.version + 1000).dropFirst())_\($0.name)" }))
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }

    /// The server parses each statement and finds all that it names.
    @Test func everyQueryFitsTheSchema() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let connection = try await database.connect()
            for query in Query.all where query.name != "create_migration_table" {
                await #expect(throws: Never.self, "\(query.name)") {
                    try await connection.execute(script: "PREPARE check_\(query.name) AS \(query.sql)")
                }
            }
            await connection.close()
        }
    }
}
