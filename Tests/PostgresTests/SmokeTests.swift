import Postgres
import PostgresTesting
import Testing

@Suite struct SmokeTests {
    @Test func selects() async throws {
        try await withTestDatabase { database in
            let rows = try await database.pool.query(
                PostgresStatement(name: "one", sql: "SELECT $1::int8 + 1 AS n, current_schema AS s"), [41])
            #expect(try rows.only().decode("n", as: Int.self) == 42)
            #expect(try rows.only().decode("s", as: String.self) == database.schema)
        }
    }
}
