import Postgres
import PostgresTesting
import Testing

private let copy = PostgresStatement(name: "copy_t", sql: "COPY t (id, name, data) FROM STDIN")
private let create = "CREATE TABLE t (id int PRIMARY KEY, name text, data bytea)"

private func row(_ id: Int) -> [(any PostgresEncodable)?] {
    [id, id % 3 == 0 ? nil : "row \(id)\t\\\n", id % 5 == 0 ? nil : [UInt8(id & 255), 0, 92] as [UInt8]]
}

private let summary = PostgresStatement(
    name: "summary",
    sql: """
        SELECT count(*) AS n, count(name) AS names,
            count(*) FILTER (WHERE name = 'row ' || id || E'\\t\\\\\\n') AS right_names,
            count(*) FILTER (WHERE data = set_byte('\\x00005c', 0, id & 255)) AS right_data
        FROM t
        """)

@Suite struct CopyTests {
    @Test func aHundredThousandRows() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: create)
                #expect(try await connection.copyIn(copy, (1...100_000).lazy.map(row)) == 100_000)
                let result = try await connection.query(summary).only()
                #expect(try result.decode("n", as: Int.self) == 100_000)
                #expect(try result.decode("right_names", as: Int.self) == result.decode("names", as: Int.self))
                #expect(try result.decode("names", as: Int.self) == 66_667)
                #expect(try result.decode("right_data", as: Int.self) == 80_000)
            }
        }
    }

    @Test func asynchronousRows() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: create)
                let (rows, continuation) = AsyncStream<[(any PostgresEncodable)?]>.makeStream()
                for id in 1...1000 { continuation.yield(row(id)) }
                continuation.finish()
                #expect(try await connection.copyIn(copy, rows) == 1000)
                #expect(try await connection.copyIn(copy, EmptyCollection()) == 0)
            }
        }
    }

    @Test func refusedRowsLeaveNothing() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: create)
                let doubled = await #expect(throws: PostgresError.self) {
                    try await connection.copyIn(copy, (1...50_000).lazy.map { row($0 == 40_000 ? 1 : $0) })
                }
                #expect(doubled?.isUniqueViolation == true)
                #expect(doubled?.statement == "copy_t")
                let nul = await #expect(throws: PostgresError.self) {
                    try await connection.copyIn(copy, (1...50_000).lazy.map { [$0, $0 == 40_000 ? "\0" : "", nil] })
                }
                #expect(nul?.code == .usage)
                #expect(try await connection.query(summary).only().decode("n", as: Int.self) == 0)
                #expect(await connection.isUsable)
            }
        }
    }

    @Test func cancellationLeavesNothing() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            try await connection.execute(script: create)
            let (rows, continuation) = AsyncStream<[(any PostgresEncodable)?]>.makeStream()
            let task = Task { try await connection.copyIn(copy, rows) }
            for id in 1...20_000 { continuation.yield(row(id)) }
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            #expect(try await connection.query(summary).only().decode("n", as: Int.self) == 0)
            await connection.close()
        }
    }

    @Test func otherStatementsAreRefused() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyIn(PostgresStatement(name: "no_copy", sql: "SELECT 1"), [])
            }
            #expect(error?.code == .usage)
            #expect(await connection.isUsable)
            let missing = await #expect(throws: PostgresError.self) { try await connection.copyIn(copy, []) }
            #expect(missing?.sqlState == "42P01")
            let backwards = await #expect(throws: PostgresError.self) {
                try await connection.copyIn(PostgresStatement(name: "out", sql: "COPY (SELECT 1) TO STDOUT"), [])
            }
            #expect(backwards?.code == .usage)
            #expect(await !connection.isUsable)
        }
    }
}
