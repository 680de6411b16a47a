import Postgres
import PostgresTesting
import Testing
import UVEventLoop

private let sleep = PostgresStatement(name: "sleep", sql: "SELECT pg_sleep($1)")
private let one = PostgresStatement(name: "one", sql: "SELECT 1 AS n")

/// Waits until the connection's server process is in a statement.
private func waitUntilBusy(_ connection: PostgresConnection, _ database: TestDatabase) async throws {
    let busy = PostgresStatement(
        name: "is_busy", sql: "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'")
    let processID = await connection.serverProcessID
    while try await database.pool.query(busy, [processID]).isEmpty {
        try await database.loop.sleep(for: .milliseconds(5))
    }
}

@Suite struct CancellationTests {
    @Test func cancellingTheTaskCancelsTheStatement() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let task = Task { try await connection.query(sleep, [3600]) }
            try await waitUntilBusy(connection, database)
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.statement == "sleep")
            #expect(await connection.isUsable)
            #expect(try await connection.query(one).count == 1)
            await connection.close()
        }
    }

    @Test func cancellationAtAnyMomentLeavesTheConnectionUsable() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let echo = PostgresStatement(name: "echo", sql: "SELECT $1::int AS n, pg_sleep(0.001)")
            for number in 0..<60 {
                let task = Task { try await connection.query(echo, [number]) }
                try await database.loop.sleep(for: .microseconds(number * 50))
                task.cancel()
                _ = await task.result
                #expect(try await connection.query(echo, [number]).only().decode("n", as: Int.self) == number)
            }
            await connection.close()
        }
    }

    @Test func aQueuedStatementCanBeCancelled() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let running = Task { try await connection.query(sleep, [3600]) }
            try await waitUntilBusy(connection, database)
            let queued = Task { try await connection.query(one) }
            queued.cancel()
            let error = await #expect(throws: PostgresError.self) { try await queued.value }
            #expect(error?.code == .cancelled)
            running.cancel()
            _ = await running.result
            #expect(try await connection.query(one).count == 1)
            await connection.close()
        }
    }

    @Test func statementsTimeOutOnTheServer() async throws {
        try await withTestDatabase { database in
            var configuration = database.configuration
            configuration.statementTimeout = .milliseconds(50)
            let connection = try await PostgresConnection.connect(configuration, on: database.loop)
            let error = await #expect(throws: PostgresError.self) { try await connection.query(sleep, [3600]) }
            #expect(error?.code == .timedOut)
            #expect(error?.sqlState == "57014")
            #expect(try await connection.query(one).count == 1)
            await connection.close()
        }
    }

    @Test func statementsTimeOutOnTheClient() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let error = await #expect(throws: PostgresError.self) {
                try await connection.query(sleep, [3600], timeout: .milliseconds(50))
            }
            #expect(error?.code == .timedOut)
            #expect(try await connection.query(one).count == 1)
            await connection.close()
        }
    }

    @Test func theServersEndOfAConnectionIsNoticed() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let processID = await connection.serverProcessID
            let task = Task { try await connection.query(sleep, [3600]) }
            try await waitUntilBusy(connection, database)
            let terminate = PostgresStatement(name: "terminate", sql: "SELECT pg_terminate_backend($1)")
            _ = try await database.pool.query(terminate, [processID])
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.isConnectionFailure == true)
            #expect(error?.sqlState == "57P01")
            #expect(await !connection.isUsable)
        }
    }
}

@Suite struct ConnectTests {
    @Test func noServer() async throws {
        let loop = try EventLoop()
        let configuration = try PostgresConfiguration("host=/nonexistent dbname=assay")
        let error = await #expect(throws: PostgresError.self) {
            try await PostgresConnection.connect(configuration, on: loop)
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.description.contains("/nonexistent") == true)
        #expect(error?.hint?.contains("assay up") == true)
        await loop.shutDown()
    }

    @Test func noSuchDatabaseOrUser() async throws {
        try await withTestDatabase { database in
            let text = database.configuration.connectionString
            let database1 = try PostgresConfiguration(text.replacing("dbname='assay'", with: "dbname='nope'"))
            let noDatabase = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(database1, on: database.loop)
            }
            #expect(noDatabase?.sqlState == "3D000")
            let stranger = try PostgresConfiguration(text.replacing("user='assay'", with: "user='stranger'"))
            let refused = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(stranger, on: database.loop)
            }
            #expect(refused?.sqlState == "28000")
            #expect(refused?.code == .connectionFailed)
        }
    }

    @Test func aSilentServerTimesOut() async throws {
        let loop = try EventLoop()
        let listener = try SilentListener()
        let patient = try PostgresConfiguration("host=\(listener.folder) port=1 dbname=x connect_timeout=3600")
        var hasty = patient
        hasty.connectTimeout = .milliseconds(100)
        let attempt = Task { [hasty] in try await PostgresConnection.connect(hasty, on: loop) }
        let error = await #expect(throws: PostgresError.self) { try await attempt.value }
        #expect(error?.code == .timedOut)
        let task = Task { try await PostgresConnection.connect(patient, on: loop) }
        try await loop.sleep(for: .milliseconds(20))
        task.cancel()
        let cancelled = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(cancelled?.code == .cancelled)
        await loop.shutDown()
        withExtendedLifetime(listener) {}
    }

    @Test func theLoopsEndIsAnError() async throws {
        try await withTestDatabase { database in
            let loop = try EventLoop()
            let connection = try await PostgresConnection.connect(database.configuration, on: loop)
            let task = Task { try await connection.query(sleep, [3600]) }
            try await waitUntilBusy(connection, database)
            await loop.shutDown()
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .shutDown)
            await #expect(throws: PostgresError.self) { try await connection.query(one) }
        }
    }
}
