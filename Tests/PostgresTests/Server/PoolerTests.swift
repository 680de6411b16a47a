import Postgres
import PostgresTesting
import Testing

/// A real PgBouncer in transaction mode stands before the server.
@Suite struct PoolerTests {
    private let answer = PostgresStatement(name: "answer", sql: "SELECT $1::int AS n")
    private let prepared = PostgresStatement(name: "prepared", sql: "SELECT count(*) AS n FROM pg_prepared_statements")

    @Test func isFoundOutAndLeavesNoSessionBehind() async throws {
        try await withPooledTestDatabase { database in
            let connection = try await database.connect()
            #expect(await !connection.keepsSession)
            for number in 0..<5 {
                #expect(try await connection.query(self.answer, [number]).only().decode("n", as: Int.self) == number)
                #expect(try await connection.query(self.prepared).only().decode("n", as: Int.self) == 0)
            }
            #expect(try await !connection.verifyNotifications())
            await connection.close()
        }
    }

    @Test func isNotSuspectedWhereThereIsNone() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            #expect(await connection.keepsSession)
            await connection.close()
        }
    }

    @Test func manyClientsShareFewServerProcesses() async throws {
        try await withPooledTestDatabase(poolSize: 12) { database in
            try await database.pool.withConnection { connection in
                try await connection.execute(script: "CREATE TABLE t (n int); CREATE INDEX ON t (n)")
            }
            let insert = PostgresStatement(name: "insert", sql: "INSERT INTO t VALUES ($1::int)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        try await database.pool.withTransaction { connection in
                            _ = try await connection.query(insert, [number])
                            _ = try await connection.query(self.answer, [number])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let copy = PostgresStatement(name: "copy", sql: "COPY t (n) FROM STDIN")
            let connection = try await database.connect()
            #expect(try await connection.copyIn(copy, (100..<300).map { [$0] }) == 200)
            let count = PostgresStatement(name: "count", sql: "SELECT count(*) AS n FROM t")
            #expect(try await connection.query(count).only().decode("n", as: Int.self) == 300)
            await connection.close()
        }
    }

    @Test func statementsAreCancelledThroughIt() async throws {
        try await withPooledTestDatabase { database in
            var configuration = database.configuration
            configuration.statementTimeout = .milliseconds(100)
            let connection = try await PostgresConnection.connect(configuration, on: database.loop)
            let sleep = PostgresStatement(name: "sleep", sql: "SELECT pg_sleep(3600)")
            let error = await #expect(throws: PostgresError.self) { try await connection.query(sleep) }
            #expect(error?.code == .timedOut)
            #expect(try await connection.query(self.answer, [1]).count == 1)
            await connection.close()
        }
    }

    @Test func aSearchPathIsRefused() async throws {
        try await withPooledTestDatabase { database in
            var configuration = database.configuration
            configuration.searchPath = ["elsewhere"]
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(configuration, on: database.loop)
            }
            #expect(error?.code == .usage)
            #expect(error?.hint?.contains("role") == true)
        }
    }

    /// A pooler that hides too well: what goes wrong names the setting, and no statement is mistaken for another.
    @Test func whoDeniesItIsToldWhatToSet() async throws {
        try await withPooledTestDatabase { database in
            var configuration = database.configuration
            configuration.pooler = .session
            let pool = PostgresPool(configuration, on: database.loop, size: 8)
            let errors = await withTaskGroup(of: PostgresError?.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        do throws(PostgresError) {
                            let row = try await pool.query(self.answer, [number]).only()
                            let answer = try row.decode("n", as: Int.self)
                            #expect(answer == number)
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                return await group.reduce(into: [PostgresError]()) { if let error = $1 { $0.append(error) } }
            }
            #expect(!errors.isEmpty)
            for error in errors {
                #expect(["26000", "42P05"].contains(error.sqlState))
                #expect(error.hint?.contains("ASSAY_DATABASE_POOLER") == true)
            }
            await pool.shutDown()
        }
    }
}
