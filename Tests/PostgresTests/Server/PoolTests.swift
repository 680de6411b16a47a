import Postgres
import PostgresTesting
import Testing
import UVEventLoop

private let processID = PostgresStatement(name: "pid", sql: "SELECT pg_backend_pid() AS pid")

@Suite struct PoolTests {
    @Test func neverOpensMoreThanItsSize() async throws {
        try await withTestDatabase(poolSize: 3) { database in
            let used = Tally()
            let processes = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        try await database.pool.withConnection { connection in
                            used.add(1)
                            defer { used.add(-1) }
                            return try await connection.query(processID).only().decode("pid")
                        }
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(processes.count <= 3)
            #expect(used.peak <= 3)
        }
    }

    @Test func replacesBrokenConnections() async throws {
        try await withTestDatabase(poolSize: 1) { database in
            let killer = try await database.connect()
            let terminate = PostgresStatement(name: "terminate", sql: "SELECT pg_terminate_backend($1, 10000)")
            var seen: Set<Int32> = []
            for _ in 0..<5 {
                let pid = try await database.pool.query(processID).only().decode("pid", as: Int32.self)
                seen.insert(pid)
                _ = try await killer.query(terminate, [pid])
            }
            #expect(seen.count == 5)
            await killer.close()
        }
    }

    @Test func unfinishedTransactionsAndListenersDoNotComeBack() async throws {
        try await withTestDatabase(poolSize: 1) { database in
            let first = try await database.pool.withConnection { connection in
                try await connection.execute(script: "BEGIN")
                return await connection.serverProcessID
            }
            let second = try await database.pool.withConnection { connection in
                _ = try await connection.listen("x")
                return await connection.serverProcessID
            }
            let third = try await database.pool.withConnection { await $0.serverProcessID }
            #expect(Set([first, second, third]).count == 3)
        }
    }

    @Test func waitingCanBeCancelled() async throws {
        try await withTestDatabase(poolSize: 1) { database in
            try await database.pool.withConnection { connection in
                let waiter = Task { try await database.pool.query(processID) }
                try await database.loop.sleep(for: .milliseconds(5))
                waiter.cancel()
                let error = await #expect(throws: PostgresError.self) { try await waiter.value }
                #expect(error?.code == .cancelled)
                #expect(await connection.isUsable)
            }
            #expect(try await database.pool.query(processID).count == 1)
        }
    }

    @Test func waitingTimesOut() async throws {
        try await withTestDatabase { database in
            var options = PostgresPool.Options()
            options.size = 1
            options.leaseTimeout = .milliseconds(20)
            let pool = PostgresPool(database.configuration, on: database.loop, options: options)
            try await pool.withConnection { _ in
                let error = await #expect(throws: PostgresError.self) { try await pool.query(processID) }
                #expect(error?.code == .timedOut)
                #expect(error?.statement == "pid")
            }
            #expect(try await pool.query(processID).count == 1)
            await pool.shutDown()
        }
    }

    @Test func racingCancellationsLoseNoConnection() async throws {
        try await withTestDatabase(poolSize: 2) { database in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let task = Task { try await database.pool.query(processID) }
                        if number % 2 == 0 {
                            try? await database.loop.sleep(for: .microseconds(number * 10))
                            task.cancel()
                        }
                        _ = await task.result
                    }
                }
            }
            let count = try await database.pool.withConnection { _ in
                try await database.pool.query(processID).count
            }
            #expect(count == 1)
        }
    }

    @Test func shutDownWaitsForTheWorkAndRefusesMore() async throws {
        try await withTestDatabase { database in
            let pool = PostgresPool(database.configuration, on: database.loop, size: 1)
            let (entered, entering) = AsyncStream<Void>.makeStream()
            let work = Task {
                try await pool.withConnection { connection in
                    entering.yield()
                    return try await connection.query(PostgresStatement(name: "s", sql: "SELECT pg_sleep(0.05)")).count
                }
            }
            for await _ in entered.prefix(1) {}
            let waiter = Task { try await pool.query(processID) }
            await pool.shutDown()
            let count = try await work.value
            #expect(count == 1)
            _ = await waiter.result
            let error = await #expect(throws: PostgresError.self) { try await pool.query(processID) }
            #expect(error?.code == .shutDown)
            await pool.shutDown()
        }
    }

    @Test func anAbsentServerFailsAtOnce() async throws {
        try await withTestDatabase { database in
            let pool = PostgresPool(try PostgresConfiguration("host=/nonexistent"), on: database.loop, size: 1)
            let start = ContinuousClock.now
            let error = await #expect(throws: PostgresError.self) { try await pool.query(processID) }
            #expect(error?.code == .connectionFailed)
            #expect(ContinuousClock.now - start < .seconds(10))
            await pool.shutDown()
        }
    }

    @Test func closesWhatNobodyUsesAnyMore() async throws {
        try await withTestDatabase { database in
            var options = PostgresPool.Options()
            options.idleTimeout = .zero
            var configuration = database.configuration
            configuration.applicationName = "\(database.schema)_idle"
            let pool = PostgresPool(configuration, on: database.loop, options: options)
            _ = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        _ = try await pool.query(PostgresStatement(name: "wait", sql: "SELECT pg_sleep(0.2)"))
                    }
                }
                try await group.waitForAll()
            }
            for _ in 0..<3 { _ = try await pool.query(processID) }
            let open = PostgresStatement(
                name: "open", sql: "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1")
            // The server takes a moment to see a connection's end.
            var count = 9
            while count > 1 {
                count = try await database.pool.query(open, [configuration.applicationName]).only().decode("n")
            }
            #expect(count == 1)
            await pool.shutDown()
        }
    }

    /// Notifications come all the time, and listeners come and go; no answer is read away from who waits for it.
    @Test(.timeLimit(.minutes(5))) func statementsAreAnsweredWhileNotificationsCome() async throws {
        try await withTestDatabase(poolSize: 1) { database in
            var news = try #require(try await database.pool.listen("rumors")).makeAsyncIterator()
            let sender = try await database.connect()
            let notify = PostgresStatement(name: "notify", sql: "SELECT pg_notify('rumors', $1)")
            let count = 80
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<count { _ = try await database.pool.query(processID) }
                    }
                }
                group.addTask {
                    for number in 0..<count { _ = try await sender.query(notify, ["\(number)"]) }
                }
                group.addTask {
                    for number in 0..<20 { _ = try await database.pool.listen("passing \(number)") }
                }
                // Threads that are busy, so that much can happen between a look and the wait after it.
                let load = Task.detached {
                    await withTaskGroup { spinning in
                        for _ in 0..<8 {
                            spinning.addTask {
                                while !Task.isCancelled {
                                    let end = ContinuousClock.now + .milliseconds(1)
                                    while ContinuousClock.now < end {}
                                    await Task.yield()
                                }
                            }
                        }
                    }
                }
                defer { load.cancel() }
                try await group.waitForAll()
            }
            for number in 0..<count {
                let payload = await news.next()
                #expect(payload == "\(number)")
            }
            await sender.close()
        }
    }

    /// Listening takes no connection of its own.
    @Test func aConnectionThatListensIsLentAllTheSame() async throws {
        try await withTestDatabase(poolSize: 1) { database in
            var first = try #require(try await database.pool.listen("news")).makeAsyncIterator()
            var second = try #require(try await database.pool.listen("news")).makeAsyncIterator()
            let notify = PostgresStatement(name: "notify", sql: "SELECT pg_notify('news', $1)")
            var processes: Set<Int32> = []
            for number in 0..<20 {
                try await database.pool.withTransaction { connection in
                    processes.insert(try await connection.query(processID).only().decode("pid"))
                    _ = try await connection.query(notify, ["\(number)"])
                }
                let (one, two) = (await first.next(), await second.next())
                #expect(one == "\(number)")
                #expect(two == "\(number)")
            }
            #expect(processes.count == 1)
            // It ends with its connection, and the next one may listen anew.
            let other = try await database.connect()
            let end = PostgresStatement(name: "end", sql: "SELECT pg_terminate_backend($1, 10000)")
            _ = try await other.query(end, [processes.first])
            #expect(await first.next() == nil)
            var third = try #require(try await database.pool.listen("news")).makeAsyncIterator()
            _ = try await database.pool.query(notify, ["again"])
            #expect(await third.next() == "again")
            await other.close()
        }
    }
}
