import Postgres
import PostgresTesting
import Testing
import UVEventLoop

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

private let one = PostgresStatement(name: "one", sql: "SELECT 1 AS n")

/// A server of the test's own, for tests that stop and start it.
private func withServer(
    in subfolder: String = "", _ body: (EmbeddedServer, EventLoop) async throws -> Void
) async throws {
    let loop = try EventLoop(name: "embedded")
    let folder = try TemporaryServerFolder()
    try await folder.removeAtExit(on: loop)
    let server = try EmbeddedServer(
        home: folder.path + subfolder, on: loop, environment: ProcessInfo.processInfo.environment, options: .forTests)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(server, loop))
    } catch {
        result = .failure(error)
    }
    try await server.remove()
    await loop.shutDown()
    try FileManager.default.removeItem(atPath: folder.path)
    try result.get()
}

@Suite struct EmbeddedServerTests {
    @Test func startsStopsAndIsFound() async throws {
        try await withServer { server, loop in
            #expect(try !server.isRunning)
            let none = #expect(throws: PostgresError.self) { try EmbeddedServer.configuration(home: server.home) }
            #expect(none?.hint?.contains("assay up") == true)
            try await server.stop()
            let configuration = try await server.start()
            #expect(try server.isRunning)
            #expect(try await server.start() == configuration)
            #expect(try EmbeddedServer.configuration(home: server.home) == configuration)
            let connection = try await PostgresConnection.connect(configuration, on: loop)
            let facts = try await connection.query(
                PostgresStatement(
                    name: "facts",
                    sql: """
                        SELECT current_database() AS database, current_user AS role, datcollate AS locale,
                            pg_encoding_to_char(encoding) AS encoding, current_setting('listen_addresses') AS addresses,
                            current_setting('data_checksums') AS checksums
                        FROM pg_database WHERE datname = current_database()
                        """)
            ).only()
            let values = try ["database", "role", "locale", "encoding", "addresses", "checksums"].map {
                try facts.decode($0, as: String.self)
            }
            #expect(values == ["assay", "assay", "C.UTF-8", "UTF8", "", "on"])
            try await connection.execute(script: "CREATE TABLE kept (n int)")
            await connection.close()
            try await server.stop()
            #expect(try !server.isRunning)
            try await server.stop()
            try await server.start()
            let again = try await PostgresConnection.connect(configuration, on: loop)
            #expect(try await again.query(PostgresStatement(name: "kept", sql: "SELECT * FROM kept")).isEmpty)
            await again.close()
        }
    }

    @Test func concurrentStartsGiveOneServer() async throws {
        try await withServer { server, loop in
            let configurations = try await withThrowingTaskGroup(of: PostgresConfiguration.self) { group in
                for _ in 0..<4 { group.addTask { try await server.start() } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(configurations.count == 1)
        }
    }

    @Test func aPoolSurvivesARestart() async throws {
        try await withServer { server, loop in
            let configuration = try await server.start()
            let pool = PostgresPool(configuration, on: loop, size: 2)
            #expect(try await pool.query(one).count == 1)
            try await pool.withTransaction { connection in
                try await connection.execute(script: "CREATE TABLE t (n int)")
            }
            for _ in 0..<2 {
                try await server.stop(.immediate)
                async let restarted = server.start()
                // The pool waits for the server that it knows, and for its recovery.
                #expect(try await pool.query(one).count == 1)
                _ = try await restarted
            }
            // A transaction that loses its connection runs again on a new one.
            var attempts = 0
            try await pool.withTransaction { connection in
                attempts += 1
                _ = try await connection.query(PostgresStatement(name: "insert", sql: "INSERT INTO t VALUES (1)"))
                if attempts == 1 {
                    try await server.stop(.immediate)
                    try await server.start()
                }
                _ = try await connection.query(one)
            }
            #expect(attempts == 2)
            #expect(try await pool.query(PostgresStatement(name: "all", sql: "SELECT * FROM t")).count == 1)
            await pool.shutDown()
        }
    }

    @Test func longPathsGetAShortSocket() async throws {
        try await withServer(in: "/" + String(repeating: "long/", count: 30)) { server, loop in
            let configuration = try await server.start()
            #expect(!configuration.description.contains("long/"))
            let connection = try await PostgresConnection.connect(configuration, on: loop)
            #expect(try await connection.query(one).count == 1)
            await connection.close()
        }
    }

    @Test func aHomeInAPrivateFolderWorksForRootToo() async throws {
        try await withServer(in: "/private/home") { server, loop in
            let parent = String(server.home.dropLast("/home".count))
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: parent)
            let configuration = try await server.start()
            let connection = try await PostgresConnection.connect(configuration, on: loop)
            #expect(try await connection.query(one).count == 1)
            await connection.close()
            #expect(try await server.start() == configuration)
        }
    }

    @Test func aMovedHomeTakesItsClusterAlong() async throws {
        try await withServer(in: "/before") { server, loop in
            let before = try await server.start()
            let connection = try await PostgresConnection.connect(before, on: loop)
            try await connection.execute(script: "CREATE TABLE kept (n int)")
            await connection.close()
            try await server.stop()
            let home = server.home.replacing("/before", with: "/after")
            try FileManager.default.moveItem(atPath: server.home, toPath: home)
            let moved = try EmbeddedServer(
                home: home, on: loop, environment: ProcessInfo.processInfo.environment, options: .forTests)
            let after = try await PostgresConnection.connect(moved.start(), on: loop)
            #expect(try await after.query(PostgresStatement(name: "kept", sql: "SELECT * FROM kept")).isEmpty)
            await after.close()
            try await moved.remove()
        }
    }

    @Test func aRecycledProcessNumberIsNoServer() async throws {
        try await withServer { server, _ in
            try await server.start()
            try await server.stop()
            let path = server.home + "/postgres/data/postmaster.pid"
            guard FileManager.default.fileExists(atPath: server.home + "/postgres/data") else { return }
            // This very process lives, and is no server.
            let text = "\(ProcessInfo.processInfo.processIdentifier)\n/elsewhere\n1\n5432\n/tmp\n\n 1 1\nready\n"
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(try !server.isRunning)
            try await server.start()
            #expect(try server.isRunning)
        }
    }

    @Test func failuresCarryTheLog() async throws {
        try await withServer { server, loop in
            var options = EmbeddedServer.Options.forTests
            options.settings["shared_buffers"] = "nonsense"
            let broken = try EmbeddedServer(
                home: server.home, on: loop, environment: ProcessInfo.processInfo.environment, options: options)
            let error = await #expect(throws: PostgresError.self) { try await broken.start() }
            #expect(error?.code == .embeddedServer)
            #expect(error?.description.contains("shared_buffers") == true)
            try await server.start()
            #expect(try server.isRunning)
        }
    }

    @Test func wrongFoldersAreErrors() async throws {
        try await withServer { server, loop in
            let environment = ["ASSAY_POSTGRES_BIN": "/nonexistent/bin"]
            let lost = try EmbeddedServer(home: server.home, on: loop, environment: environment)
            let noBinaries = await #expect(throws: PostgresError.self) { try await lost.start() }
            #expect(noBinaries?.message.contains("ASSAY_POSTGRES_BIN is /nonexistent/bin") == true)
            let odd = #expect(throws: PostgresError.self) {
                try EmbeddedServer(home: "/tmp/a\"b", on: loop, environment: [:])
            }
            #expect(odd?.code == .usage)
        }
    }
}
