import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// What the database itself refuses of data sets, past the checks of the client.
@Suite struct DataSetInvariantTests {
    private static let insert = PostgresStatement(
        name: "insert",
        sql: """
            INSERT INTO data_set_split (name, config, split, sha256, row_count, columns, source, user_name)
            VALUES ($1::text, $2::text, $3::text, decode(repeat('ab', 32), 'hex'), 1, $4::text[], 's', 'u')
            """)

    @Test func namesThatCouldBeMoreAreRefused() async throws {
        let long = String(repeating: "x", count: 201)
        let columns = Array(repeating: "x", count: 10_001)
        let refused: [(name: String, config: String, split: String, columns: [String])] = [
            ("", "", "t", []), ("../x", "", "t", []), ("a//b", "", "t", []), ("/a", "", "t", []), ("-x", "", "t", []),
            ("a\nb", "", "t", []), ("a\n", "", "t", []), ("é", "", "t", []), (long, "", "t", []), ("x", "a/b", "t", []),
            ("x", "a\\b", "t", []), ("x", "a\u{1B}", "t", []), ("x", "é", "t", []), ("x", long, "t", []),
            ("x", "", "", []), ("x", "", "../t", []), ("x", "", "t\n", []), ("x", "", long, []),
            ("x", "", "t", columns),
        ]
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            for row in refused {
                let error = await #expect(throws: PostgresError.self, "\(row)") {
                    _ = try await database.pool.query(Self.insert, [row.name, row.config, row.split, row.columns])
                }
                #expect(error?.sqlState == "23514", "\(row.name) \(row.config): \(error?.description ?? "")")
            }
            for config in ["", " !.0[]~", "Arabic Language (General)"] {
                _ = try await database.pool.query(Self.insert, ["a/b_c.d-e", config, "t_1.x-y", ["", "é\n"]])
            }
        }
    }
}
