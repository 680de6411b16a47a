import Postgres
import PostgresTesting
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

private enum Colour: String, PostgresEncodable, PostgresDecodable {
    case red, green
}

private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
    _ values: [Value], _ type: String, on connection: PostgresConnection
) async throws {
    let statement = PostgresStatement(name: "round_trip", sql: "SELECT $1::\(type) AS value")
    for value in values {
        #expect(try await connection.query(statement, [value]).only().decode("value") == value)
    }
    let null = try await connection.query(statement, [nil]).only()
    #expect(try null.decode("value", as: Value?.self) == nil)
    let error = #expect(throws: PostgresError.self) { try null.decode("value", as: Value.self) }
    #expect(error?.code == .decoding)
    #expect(error?.statement == "round_trip")
}

@Suite struct ValueRoundTripTests {
    @Test func everyType() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await roundTrip([true, false], "bool", on: connection)
                try await roundTrip([Int16.min, 0, .max], "int2", on: connection)
                try await roundTrip([Int32.min, 0, .max], "int4", on: connection)
                try await roundTrip([Int64.min, 0, .max], "int8", on: connection)
                try await roundTrip([Int.min, 0, .max], "numeric", on: connection)
                try await roundTrip(
                    [0.1, -1e300, .leastNonzeroMagnitude, .infinity, -.infinity], "float8", on: connection)
                try await roundTrip([Float(0.1), -3e38, .infinity], "float4", on: connection)
                try await roundTrip(["", "ä\n\"'\\", "🙂"], "text", on: connection)
                try await roundTrip([UUID()], "uuid", on: connection)
                try await roundTrip([[], [0, 1, 255], Array("text".utf8)] as [[UInt8]], "bytea", on: connection)
                try await roundTrip(["{\"a\": [1, null]}"], "jsonb", on: connection)
                try await roundTrip([Colour.red, .green], "text", on: connection)
                try await roundTrip([[], [1, -2, .max]] as [[Int64]], "int8[]", on: connection)
                try await roundTrip([[1, -2, .max]] as [[Int32]], "int4[]", on: connection)
                try await roundTrip([[0.5, -.infinity]] as [[Double]], "float8[]", on: connection)
                try await roundTrip([[true, false]], "bool[]", on: connection)
                try await roundTrip([["", "NULL", "a,b", "{\"\\}"]], "text[]", on: connection)
                try await roundTrip([[[], [0, 255]]] as [[[UInt8]]], "bytea[]", on: connection)
                try await roundTrip([[UUID(), UUID()]], "uuid[]", on: connection)
            }
        }
    }

    @Test func timestampsInEveryTimeZone() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                let values = [
                    .now(), .distantFuture, .distantPast, PostgresTimestamp(microseconds: -1),
                    PostgresTimestamp(microseconds: -210_000_000_000_000_000),
                    PostgresTimestamp(microseconds: 9_000_000_000_000_000_000),
                ]
                for zone in ["UTC", "Asia/Kolkata", "America/St_Johns"] {
                    try await connection.execute(script: "SET timezone = '\(zone)'")
                    try await roundTrip(values, "timestamptz", on: connection)
                    try await roundTrip([values], "timestamptz[]", on: connection)
                }
                let row = try await connection.query(
                    PostgresStatement(
                        name: "t",
                        sql: "SELECT date '2024-02-29' AS d, timestamp '2024-02-29 01:02:03.5' AS t, "
                            + "timestamptz '2024-02-29 01:02:03.5+00' AS z, "
                            + "(extract(epoch FROM timestamptz '2024-02-29 01:02:03.5+00') * 1000000)::int8 AS e")
                ).only()
                #expect(try row.decode("d", as: PostgresTimestamp.self).description == "2024-02-29 00:00:00+00")
                #expect(try row.decode("t", as: PostgresTimestamp.self) == row.decode("z"))
                #expect(try row.decode("z", as: PostgresTimestamp.self).microseconds == row.decode("e"))
            }
        }
    }

    @Test func parametersTakeTheColumnsType() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(
                    script: """
                        CREATE TYPE colour AS ENUM ('red', 'green');
                        CREATE TABLE t (a int2, b int8, c jsonb, d colour, e timestamptz, f bytea, g uuid, h text[]);
                        CREATE FUNCTION double(x int4) RETURNS int4 LANGUAGE sql AS 'SELECT 2 * x';
                        """)
                let insert = PostgresStatement(
                    name: "insert", sql: "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                for isNull in [false, true, false] {
                    let values: [(any PostgresEncodable)?] = [
                        7, 8, "{}", Colour.green, PostgresTimestamp.now(), [1, 2] as [UInt8], UUID(), ["x"],
                    ]
                    let rows = try await connection.query(insert, isNull ? values.map { _ in nil } : values)
                    #expect(rows.affectedRows == 1)
                }
                let rows = try await connection.query(
                    PostgresStatement(name: "all", sql: "SELECT *, double($1) AS twice FROM t"), [21])
                #expect(rows.count == 3)
                #expect(rows.columns == ["a", "b", "c", "d", "e", "f", "g", "h", "twice"])
                #expect(try rows.map { try $0.decode("d", as: Colour?.self) } == [.green, nil, .green])
                #expect(try rows[0].decode("twice", as: Int.self) == 42)
                #expect(try rows[0].decode(at: 5, as: [UInt8].self) == [1, 2])
            }
        }
    }
}

@Suite struct QueryTests {
    @Test func largeResults() async throws {
        try await withTestDatabase { database in
            let rows = try await database.pool.query(
                PostgresStatement(
                    name: "many", sql: "SELECT n, repeat('x', 100) AS s FROM generate_series(1, $1::int) n"), [100_000])
            #expect(rows.count == 100_000)
            #expect(try rows.reduce(0) { try $0 + $1.decode("n", as: Int.self) } == 5_000_050_000)
        }
    }

    @Test func largeParameters() async throws {
        try await withTestDatabase { database in
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let row = try await database.pool.query(
                PostgresStatement(name: "large", sql: "SELECT length($1) AS n, md5($1) AS h, $1 AS b"), [bytes]
            ).only()
            #expect(try row.decode("n", as: Int.self) == bytes.count)
            #expect(try row.decode("b", as: [UInt8].self) == bytes)
        }
    }

    @Test func serverErrorsSayEverything() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: "CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0))")
                let insert = PostgresStatement(name: "insert_t", sql: "INSERT INTO t VALUES ($1, $2)")
                _ = try await connection.query(insert, [1, 1])
                let duplicate = await #expect(throws: PostgresError.self) {
                    try await connection.query(insert, [1, 1])
                }
                #expect(duplicate?.code == .server)
                #expect(duplicate?.isUniqueViolation == true)
                #expect(duplicate?.constraint == "t_pkey")
                #expect(duplicate?.statement == "insert_t")
                #expect(duplicate?.detail?.contains("(id)=(1)") == true)
                let check = await #expect(throws: PostgresError.self) { try await connection.query(insert, [2, 0]) }
                #expect(check?.sqlState == "23514")
                let syntax = await #expect(throws: PostgresError.self) {
                    try await connection.query(PostgresStatement(name: "bad", sql: "SELECT 1,\n  nonsense"))
                }
                #expect(syntax?.sqlState == "42703")
                #expect(syntax?.position == "line 2, column 3")
                #expect(await connection.isUsable)
                #expect(try await connection.query(insert, [2, 2]).affectedRows == 1)
            }
        }
    }

    @Test func scripts() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);", name: "V001")
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.execute(
                        script: "INSERT INTO a VALUES (2);\n\nINSERT INTO missing VALUES (3);", name: "V002")
                }
                #expect(error?.statement == "V002")
                #expect(error?.position == "line 3, column 13")
                // The whole script was one transaction.
                let count = PostgresStatement(name: "count", sql: "SELECT count(*) AS n FROM a")
                #expect(try await connection.query(count).only().decode("n", as: Int.self) == 1)
            }
        }
    }

    @Test func wrongCallsAreErrors() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                let one = PostgresStatement(name: "one", sql: "SELECT 1 AS a, 'x' AS b")
                let row = try await connection.query(one).only()
                let unknown = #expect(throws: PostgresError.self) { try row.decode("c", as: Int.self) }
                #expect(unknown?.message == "no column \"c\" in the result; it has: a, b")
                let mistaken = #expect(throws: PostgresError.self) { try row.decode("b", as: Int.self) }
                #expect(mistaken?.code == .decoding)
                #expect(mistaken?.message.contains("column \"b\" of text can't be read as Int") == true)
                let nul = await #expect(throws: PostgresError.self) {
                    try await connection.query(PostgresStatement(name: "nul", sql: "SELECT $1::text"), ["a\0"])
                }
                #expect(nul?.code == .usage)
                let missing = await #expect(throws: PostgresError.self) {
                    try await connection.query(PostgresStatement(name: "missing", sql: "SELECT $1::text"))
                }
                #expect(missing?.sqlState == "08P01")
                let several = await #expect(throws: PostgresError.self) {
                    try await connection.query(PostgresStatement(name: "several", sql: "SELECT 1; SELECT 2"))
                }
                #expect(several?.sqlState == "42601")
                #expect(try await connection.query(one).count == 1)
            }
        }
    }

    @Test func preparedStatementsOutliveTheirTablesChange() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
                let all = PostgresStatement(name: "all", sql: "SELECT * FROM t")
                for _ in 0..<3 { #expect(try await connection.query(all).columns == ["a"]) }
                try await connection.execute(script: "ALTER TABLE t ADD b text")
                #expect(try await connection.query(all).columns == ["a", "b"])
                try await connection.execute(script: "DEALLOCATE ALL")
                #expect(try await connection.query(all).columns == ["a", "b"])
            }
        }
    }

    @Test func worksWithoutPreparedStatements() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.pooler = .transaction
            let refused = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(configuration, on: database.loop)
            }
            #expect(refused?.code == .usage)
            configuration.searchPath = []
            let connection = try await PostgresConnection.connect(configuration, on: database.loop)
            let statement = PostgresStatement(name: "count", sql: "SELECT count(*) AS n FROM pg_prepared_statements")
            for _ in 0..<4 { #expect(try await connection.query(statement).only().decode("n", as: Int.self) == 0) }
            await connection.close()
        }
    }

    @Test func manyTasksShareAConnection() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let echo = PostgresStatement(name: "echo", sql: "SELECT $1::int AS n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let row = try await connection.query(echo, [number]).only()
                        #expect(try row.decode("n", as: Int.self) == number)
                    }
                }
                try await group.waitForAll()
            }
            await connection.close()
            let error = await #expect(throws: PostgresError.self) { try await connection.query(echo, [1]) }
            #expect(error?.code == .connectionLost)
        }
    }
}
