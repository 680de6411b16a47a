import Foundation
import Postgres
import PostgresTesting
import Testing

@testable import PostgresQueue

/// sql/schema.sql is what tables and functions come to, so that a reader sees the schema as it is.
@Suite struct SchemaFileTests {
    private static var file: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "sql/schema.sql")
    }

    /// ASSAY_WRITE_SCHEMA writes the file instead; `infra/dev schema` sets it.
    @Test func theSchemaIsThatOfTheFile() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let dump = try await database.dumpSchema()
            let text = Self.plain(dump, schema: database.schema)
            #expect(text.contains("CREATE TABLE shard ("))
            if ProcessInfo.processInfo.environment["ASSAY_WRITE_SCHEMA"] != nil {
                return try text.write(to: Self.file, atomically: true, encoding: .utf8)
            }
            let expected = try String(contentsOf: Self.file, encoding: .utf8)
            #expect(
                text == expected,
                "sql/schema.sql is not the schema: write it with infra/dev schema, and look at the difference")
        }
    }

    /// Without what depends on the server's version, the test's own names, and functions, which have files of their own.
    private static func plain(_ dump: String, schema: String) -> String {
        var lines: [Substring] = []
        var isSkipped = false
        var isTableOrIndex = false
        for line in dump.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- Name: ") {
                isSkipped = line.contains("Type: FUNCTION") || line.contains("Type: SCHEMA")
                isTableOrIndex = true
                continue
            }
            guard isTableOrIndex, !isSkipped else { continue }
            if line.hasPrefix("--") || line.hasPrefix("SET ") || line.hasPrefix("SELECT pg_catalog.")
                || line.hasPrefix("\\")
            {
                continue
            }
            lines.append(line)
        }
        var text = "-- What sql/tables come to, written by `infra/dev schema`; functions are in sql/functions.\n"
        var wasEmpty = false
        for line in lines {
            if line.isEmpty {
                wasEmpty = true
                continue
            }
            if wasEmpty { text += "\n" }
            wasEmpty = false
            text += line.replacing("\(schema).", with: "").replacing("SET search_path TO '\(schema)'", with: "") + "\n"
        }
        return text
    }
}
