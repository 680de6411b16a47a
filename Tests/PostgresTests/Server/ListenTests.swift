import Postgres
import PostgresTesting
import Testing

@Suite struct ListenTests {
    @Test func notificationsArriveOnAnIdleConnection() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let stream = try await connection.listen("Weird \"channel\"")
            try await database.pool.withConnection { sender in
                try await sender.notify("other", "no")
                for number in 1...3 { try await sender.notify("Weird \"channel\"", "\(number)") }
            }
            var payloads: [String] = []
            for await payload in stream.prefix(3) { payloads.append(payload) }
            #expect(payloads == ["1", "2", "3"])
            await connection.close()
        }
    }

    @Test func notificationsArriveDuringStatements() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let streams = [try await connection.listen("jobs"), try await connection.listen("jobs")]
            let echo = PostgresStatement(name: "echo", sql: "SELECT $1::int AS n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<300 {
                        let row = try await connection.query(echo, [number]).only()
                        #expect(try row.decode("n", as: Int.self) == number)
                    }
                }
                group.addTask {
                    try await database.pool.withConnection { sender in
                        for number in 0..<100 { try await sender.notify("jobs", "\(number)") }
                    }
                }
                try await group.waitForAll()
            }
            for stream in streams {
                let payloads = await stream.prefix(100).reduce(into: []) { $0.append($1) }
                #expect(payloads == (0..<100).map { "\($0)" })
            }
            await connection.close()
        }
    }

    @Test func verifiesItself() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            #expect(try await connection.verifyNotifications(timeout: .seconds(60)))
            #expect(try await connection.query(PostgresStatement(name: "one", sql: "SELECT 1")).count == 1)
            await connection.close()
        }
    }

    @Test func droppedStreamsAreUnlistened() async throws {
        try await withTestDatabase { database in
            let connection = try await database.connect()
            let channels = PostgresStatement(name: "channels", sql: "SELECT pg_listening_channels() AS c")
            do {
                let stream = try await connection.listen("short")
                #expect(try await connection.query(channels).count == 1)
                withExtendedLifetime(stream) {}
            }
            while try await !connection.query(channels).isEmpty { await Task.yield() }
            let again = try await connection.listen("short")
            try await connection.notify("short", "again")
            for await payload in again.prefix(1) { #expect(payload == "again") }
            await connection.close()
        }
    }

    @Test func theStreamEndsWithTheConnection() async throws {
        try await withTestDatabase { database in
            let (closed, killed) = (try await database.connect(), try await database.connect())
            let streams = [try await closed.listen("a"), try await killed.listen("a")]
            await closed.close()
            let terminate = PostgresStatement(name: "terminate", sql: "SELECT pg_terminate_backend($1)")
            _ = try await database.pool.query(terminate, [await killed.serverProcessID])
            for stream in streams { #expect(await stream.reduce(into: 0) { count, _ in count += 1 } == 0) }
            #expect(await !killed.isUsable)
        }
    }
}
