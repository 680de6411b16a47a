import Foundation
import Postgres
import PostgresTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
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

    /// After a crash both lock files may name a process that has nothing to do with the server: one of its account, or
    /// what is left of the killed server where nobody waits for children.
    @Test(arguments: ["sleep", "zombie"])
    func aStaleLockOfAnotherProcessIsNoServer(kind: String) async throws {
        try await withServer { server, loop in
            let configuration = try await server.start()
            let connection = try await PostgresConnection.connect(configuration, on: loop)
            try await connection.execute(script: "CREATE TABLE kept (n int)")
            await connection.close()
            let files = try Self.lockFiles(of: server, configuration)
            let number = try #require(try Self.firstLine(of: files[0]).flatMap { CInt($0) })
            #expect(kill(number, SIGKILL) == 0)
            while kill(number, 0) == 0, !Self.isZombie(number) { try await loop.sleep(for: .milliseconds(5)) }
            // Its children notice the death and end by themselves.
            let other = try await Self.process(kind, asOwnerOf: files[0], on: loop)
            for file in files { try Self.replaceFirstLine(of: file, by: "\(other.number)") }
            #expect(kill(other.number, 0) == 0)
            #expect(try !server.isRunning)
            #expect(try await server.start() == configuration)
            #expect(try server.isRunning)
            let again = try await PostgresConnection.connect(configuration, on: loop)
            #expect(try await again.query(PostgresStatement(name: "kept", sql: "SELECT * FROM kept")).isEmpty)
            await again.close()
            // It was left alone.
            #expect(kill(other.number, 0) == 0)
            try await other.parent.send(signal: SIGKILL)
            // Or it would sleep on, with all that this process had open when it was begun.
            kill(other.number, SIGKILL)
            _ = try await other.parent.waitForExit()
        }
    }

    /// The locks of a server that runs are nobody's to touch, even when its folder is reached by another path.
    @Test func theLockOfALiveServerStays() async throws {
        try await withServer(in: "/home") { server, loop in
            let configuration = try await server.start()
            let number = try Self.firstLine(of: try Self.lockFiles(of: server, configuration)[0])
            let other = server.home.replacing("/home", with: "/other")
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
            try FileManager.default.copyItem(atPath: server.home + "/postgres.json", toPath: other + "/postgres.json")
            try FileManager.default.createSymbolicLink(
                atPath: other + "/postgres", withDestinationPath: server.home + "/postgres")
            let linked = try EmbeddedServer(
                home: other, on: loop, environment: ProcessInfo.processInfo.environment, options: .forTests)
            #expect(try linked.isRunning)
            _ = try await linked.start()
            #expect(try Self.firstLine(of: try Self.lockFiles(of: server, configuration)[0]) == number)
        }
    }

    private static func lockFiles(
        of server: EmbeddedServer, _ configuration: PostgresConfiguration
    ) throws -> [String] {
        let socket = try #require(configuration.connectionString.firstMatch(of: #/host='([^']*)'/#)?.1)
        let record = try String(contentsOfFile: server.home + "/postgres.json", encoding: .utf8)
        let folder = try #require(record.firstMatch(of: #/"folder" : "([^"]*)"/#)?.1)
        return ["\(folder)/data/postmaster.pid", "\(socket)/.s.PGSQL.5432.lock"]
    }

    private static func firstLine(of path: String) throws -> String? {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first.map(String.init)
    }

    private static func replaceFirstLine(of path: String, by line: String) throws {
        let rest = try String(contentsOfFile: path, encoding: .utf8).drop { $0 != "\n" }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data((line + rest).utf8))
        try handle.close()
    }

    private static func isZombie(_ number: CInt) -> Bool {
        (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8))?.contains(") Z ") == true
    }

    /// A process of the account that owns a file: one that sleeps, or one that has ended and is not waited for.
    private static func process(
        _ kind: String, asOwnerOf path: String, on loop: EventLoop
    ) async throws -> (number: CInt, parent: ChildProcess) {
        let owner = try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? NSNumber
        let report = FileManager.default.temporaryDirectory.appending(path: "assay-process-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: report) }
        // The shell's successor knows nothing of the child that the shell has begun.
        let end =
            kind == "zombie" ? "while ! grep -q sleep /proc/$PPID/comm; do sleep 0.01; done" : "exec sleep 600"
        let script = """
            setpriv --reuid=\(owner?.intValue ?? 0) --clear-groups sh -c '\(end)' & echo $! > '\(report).new'
            mv '\(report).new' '\(report)'; exec sleep 600
            """
        let plain = "sh -c '\(end)' & echo $! > '\(report).new'; mv '\(report).new' '\(report)'; exec sleep 600"
        let parent = try await loop.spawn(
            ProcessConfiguration(
                "/bin/sh", ["-c", geteuid() == 0 ? script : plain], standardOutput: .null, hasOwnGroup: true))
        while true {
            if let text = try? String(contentsOfFile: report, encoding: .utf8),
                let number = CInt(text.prefix { $0.isNumber }), kind != "zombie" || Self.isZombie(number)
            {
                return (number, parent)
            }
            try await loop.sleep(for: .milliseconds(5))
        }
    }

    /// A copy would be a second database with the identity of the first.
    @Test(arguments: [false, true])
    func aCopiedHomeIsRefusedUntilItIsAdopted(whileRunning: Bool) async throws {
        try await withServer(in: "/first") { server, loop in
            let configuration = try await server.start()
            let before = try await PostgresConnection.connect(configuration, on: loop)
            try await before.execute(script: "CREATE TABLE kept (n int); CHECKPOINT")
            let number = PostgresStatement(
                name: "number", sql: "SELECT oid FROM pg_database WHERE datname = current_database()")
            let original = try await before.query(number).only().decode("oid", as: Int.self)
            await before.close()
            if !whileRunning { try await server.stop() }
            let home = server.home.replacing("/first", with: "/second")
            let copied = try await loop.run(
                ProcessConfiguration("/bin/cp", ["-a", server.home, home], standardError: .null))
            // A running server's socket can't be copied, and the rest is.
            #expect(whileRunning || copied.termination.isSuccess)
            let copy = try EmbeddedServer(
                home: home, on: loop, environment: ProcessInfo.processInfo.environment, options: .forTests)
            // Not to the server of the original, nor to whatever listens where libpq looks by default.
            let none = #expect(throws: PostgresError.self) { try EmbeddedServer.configuration(home: home) }
            #expect(none?.hint?.contains("assay up") == true)
            let error = await #expect(throws: PostgresError.self) { try await copy.start() }
            #expect(error?.message.contains("is a copy (\(server.home))") == true, "\(error?.description ?? "")")
            #expect(error?.message.contains("copied while its server ran") == whileRunning)
            #expect(error?.hint?.contains("assay up --adopt") == true)
            let adopted = try await copy.start(adopting: true)
            #expect(adopted != configuration)
            let after = try await PostgresConnection.connect(adopted, on: loop)
            #expect(try await after.query(PostgresStatement(name: "kept", sql: "SELECT * FROM kept")).isEmpty)
            // The server's identifier is the same, and stores look at both.
            #expect(try await after.query(number).only().decode("oid", as: Int.self) != original)
            await after.close()
            // From now on it is one of its own, and so is the original.
            try await copy.stop()
            try await copy.start()
            try await server.start()
            try await copy.remove()
        }
    }

    /// The same home with other files, as a backup that was put back in its place leaves it.
    @Test func aRestoredClusterIsAdoptedToo() async throws {
        try await withServer { server, loop in
            try await server.start()
            try await server.stop()
            let data = "\(server.home)/postgres/data"
            guard FileManager.default.fileExists(atPath: data) else { return }
            for arguments in [
                ["/bin/cp", "-a", data, "\(data).old"], ["/bin/rm", "-rf", data], ["/bin/mv", "\(data).old", data],
            ] {
                let result = try await loop.run(ProcessConfiguration(arguments[0], Array(arguments.dropFirst())))
                #expect(result.termination.isSuccess)
            }
            let error = await #expect(throws: PostgresError.self) { try await server.start() }
            #expect(error?.message.contains("restored backup") == true)
            try await server.start(adopting: true)
        }
    }

    /// In the cluster's own file, or beside it in the home, which wins.
    @Test func ownSettingsWin() async throws {
        try await withServer { server, loop in
            let own = try EmbeddedServer(home: server.home, on: loop, environment: ProcessInfo.processInfo.environment)
            func shown() async throws -> [String] {
                let connection = try await PostgresConnection.connect(own.start(), on: loop)
                let show = PostgresStatement(
                    name: "show",
                    sql: """
                        SELECT current_setting('max_connections') AS a, current_setting('log_line_prefix') AS b,
                            current_setting('listen_addresses') AS c
                        """)
                let row = try await connection.query(show).only()
                let values = try ["a", "b", "c"].map { try row.decode($0, as: String.self) }
                await connection.close()
                try await own.stop()
                return values
            }
            #expect(try await shown() == ["200", "%m [%p] %a ", ""])
            let record = try String(contentsOfFile: server.home + "/postgres.json", encoding: .utf8)
            let folder = try #require(record.firstMatch(of: #/"folder" : "([^"]*)"/#)?.1)
            let file = "\(folder)/data/postgresql.conf"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.seekToEnd()
            try handle.write(
                contentsOf: Data("max_connections=500\nlisten_addresses = '*'\nlog_line_prefix = 'x '\n".utf8))
            try handle.close()
            #expect(text.contains("max_connections = 100"))
            #expect(try await shown() == ["500", "x ", ""])
            try "max_connections = 321\n".write(
                toFile: server.home + "/postgresql.conf", atomically: true, encoding: .utf8)
            #expect(try await shown() == ["321", "x ", ""])
            chmod(server.home + "/postgresql.conf", 0o666)
            let error = await #expect(throws: PostgresError.self) { try await own.start() }
            #expect(error?.hint?.contains("chmod") == true)
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
