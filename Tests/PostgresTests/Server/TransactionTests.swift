import Postgres
import PostgresTesting
import Testing
import UVEventLoop

private struct Stop: Error {}

private let count = PostgresStatement(name: "count", sql: "SELECT count(*) AS n FROM t")
private let insert = PostgresStatement(name: "insert", sql: "INSERT INTO t VALUES ($1)")

extension TestDatabase {
    fileprivate func createTable() async throws {
        try await self.pool.withConnection { try await $0.execute(script: "CREATE TABLE t (id int PRIMARY KEY)") }
    }

    /// A table whose rows can't be committed before the returned connection is closed.
    fileprivate func holdCommits() async throws -> PostgresConnection {
        let script = """
            CREATE TABLE t (id int PRIMARY KEY);
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_advisory_xact_lock(hashtext(TG_TABLE_SCHEMA)); RETURN NEW; END';
            CREATE CONSTRAINT TRIGGER held AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION wait();
            """
        let holder = try await self.connect()
        try await holder.execute(script: script)
        let lock = PostgresStatement(name: "lock", sql: "SELECT pg_advisory_lock(hashtext($1))")
        _ = try await holder.query(lock, [self.schema])
        return holder
    }

    fileprivate func waitUntilCommitting(_ connection: PostgresConnection) async throws {
        let committing = PostgresStatement(
            name: "is_committing",
            sql: "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND query = 'COMMIT' AND wait_event = 'advisory'")
        let processID = await connection.serverProcessID
        while try await self.pool.query(committing, [processID]).isEmpty {
            try await self.loop.sleep(for: .milliseconds(5))
        }
    }

    fileprivate func rowCount() async throws -> Int {
        try await self.pool.query(count).only().decode("n")
    }
}

@Suite struct TransactionTests {
    @Test func commitsOrRollsBack() async throws {
        try await withTestDatabase { database in
            try await database.createTable()
            let value = try await database.pool.withTransaction { connection in
                _ = try await connection.query(insert, [1])
                return "done"
            }
            #expect(value == "done")
            await #expect(throws: Stop.self) {
                try await database.pool.withTransaction { connection in
                    _ = try await connection.query(insert, [2])
                    throw Stop()
                }
            }
            #expect(try await database.rowCount() == 1)
        }
    }

    @Test func cancellationRollsBack() async throws {
        try await withTestDatabase { database in
            try await database.createTable()
            let connection = try await database.connect()
            let (entered, entering) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await connection.withTransaction { connection in
                    _ = try await connection.query(insert, [1])
                    entering.yield()
                    _ = try await connection.query(PostgresStatement(name: "sleep", sql: "SELECT pg_sleep(3600)"))
                }
            }
            for await _ in entered.prefix(1) {}
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(try await database.rowCount() == 0)
            #expect(try await connection.query(count).only().decode("n", as: Int.self) == 0)
            await connection.close()
        }
    }

    @Test func swallowedErrorsDoNotPassForACommit() async throws {
        try await withTestDatabase { database in
            try await database.createTable()
            let error = await #expect(throws: PostgresError.self) {
                try await database.pool.withTransaction { connection in
                    _ = try await connection.query(insert, [1])
                    _ = try? await connection.query(insert, [1])
                }
            }
            #expect(error?.code == .transactionAborted)
            #expect(try await database.rowCount() == 0)
        }
    }

    @Test func serializationFailuresAreTriedAgain() async throws {
        try await withTestDatabase(poolSize: 8) { database in
            try await database.pool.withConnection {
                try await $0.execute(script: "CREATE TABLE t (n int8 NOT NULL); INSERT INTO t VALUES (0)")
            }
            let attempts = Tally()
            let retry = PostgresRetry(maxAttempts: 200, initialPause: .milliseconds(2), maxPause: .milliseconds(50))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<5 {
                            try await database.pool.withTransaction(isolation: .serializable, retry: retry) { it in
                                attempts.add(1)
                                let read = PostgresStatement(name: "read", sql: "SELECT n FROM t")
                                let n = try await it.query(read).only().decode("n", as: Int.self)
                                let write = PostgresStatement(name: "write", sql: "UPDATE t SET n = $1")
                                _ = try await it.query(write, [n + 1])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let n = try await database.pool.query(PostgresStatement(name: "read", sql: "SELECT n FROM t")).only()
            #expect(try n.decode("n", as: Int.self) == 40)
            #expect(attempts.count >= 40)
        }
    }

    @Test func retriesAreBounded() async throws {
        try await withTestDatabase { database in
            let attempts = Tally()
            let retry = PostgresRetry(maxAttempts: 3, initialPause: .zero, maxPause: .zero)
            let error = await #expect(throws: PostgresError.self) {
                try await database.pool.withTransaction(retry: retry) { connection in
                    attempts.add(1)
                    try await connection.execute(
                        script: "DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$")
                }
            }
            #expect(error?.isSerializationFailure == true)
            #expect(attempts.count == 3)
        }
    }

    @Test func deadlocksAreTriedAgain() async throws {
        try await withTestDatabase { database in
            try await database.pool.withConnection {
                try await $0.execute(
                    script: "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
            }
            let update = PostgresStatement(name: "update", sql: "UPDATE t SET n = n + 1 WHERE id = $1")
            let meeting = Meeting()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[1, 2], [2, 1]] {
                    group.addTask {
                        try await database.pool.withTransaction { connection in
                            _ = try await connection.query(update, [order[0]])
                            await meeting.arrive()
                            _ = try await connection.query(update, [order[1]])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let total = PostgresStatement(name: "total", sql: "SELECT sum(n) AS n FROM t")
            #expect(try await database.pool.query(total).only().decode("n", as: Int.self) == 4)
        }
    }

    @Test func othersWaitWhileATransactionIsOpen() async throws {
        try await withTestDatabase { database in
            try await database.createTable()
            let connection = try await database.connect()
            let (entered, entering) = AsyncStream<Void>.makeStream()
            let outsider = Task {
                for await _ in entered.prefix(1) {}
                return try await connection.query(count).only().decode("n", as: Int.self)
            }
            try await connection.withTransaction { connection in
                _ = try await connection.query(insert, [1])
                entering.yield()
                for id in 2...20 { _ = try await connection.query(insert, [id]) }
            }
            #expect(try await outsider.value == 20)
            let nested = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { connection in
                    try await connection.withTransaction { _ in }
                }
            }
            #expect(nested?.code == .usage)
            await connection.close()
        }
    }

    @Test func transactionsOnTwoConnectionsNest() async throws {
        try await withTestDatabase { database in
            try await database.createTable()
            try await database.pool.withTransaction { outer in
                try await database.pool.withTransaction { inner in
                    _ = try await inner.query(insert, [1])
                    _ = try await outer.query(insert, [2])
                }
            }
            #expect(try await database.rowCount() == 2)
        }
    }

    @Test func aCommitUnderWayIsNotCancelled() async throws {
        try await withTestDatabase { database in
            let holder = try await database.holdCommits()
            let connection = try await database.connect()
            let task = Task {
                try await connection.withTransaction { connection in
                    _ = try await connection.query(insert, [1])
                }
            }
            try await database.waitUntilCommitting(connection)
            task.cancel()
            await holder.close()
            try await task.value
            #expect(try await database.rowCount() == 1)
            await connection.close()
        }
    }

    @Test func aCommitWithoutAnAnswerIsUnknown() async throws {
        try await withTestDatabase { database in
            let holder = try await database.holdCommits()
            let connection = try await database.connect()
            let task = Task {
                try await connection.withTransaction { connection in
                    _ = try await connection.query(insert, [1])
                }
            }
            try await database.waitUntilCommitting(connection)
            let terminate = PostgresStatement(name: "terminate", sql: "SELECT pg_terminate_backend($1)")
            _ = try await database.pool.query(terminate, [await connection.serverProcessID])
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .commitUnknown)
            #expect(error?.sqlState == "57P01")
            await holder.close()
        }
    }

    @Test func readOnlyMeansThat() async throws {
        try await withTestDatabase { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.pool.withTransaction(isolation: .repeatableRead, readOnly: true) { connection in
                    try await connection.execute(script: "CREATE TABLE t (id int)")
                }
            }
            #expect(error?.sqlState == "25006")
        }
    }
}

/// Two tasks meet here once; later arrivals pass.
private actor Meeting {
    private var waiting: CheckedContinuation<Void, Never>?
    private var arrived = 0

    func arrive() async {
        self.arrived += 1
        if self.arrived == 1 {
            await withCheckedContinuation { self.waiting = $0 }
        } else {
            self.waiting?.resume()
            self.waiting = nil
        }
    }
}
