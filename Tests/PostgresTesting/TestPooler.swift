internal import Postgres
internal import Synchronization
internal import UVEventLoop

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A PgBouncer in transaction mode before the shared server, with fewer connections to it than tests open.
struct TestPooler: Sendable {
    let folder: String
    static let port = 6432

    private static let shared = Mutex<Task<TestPooler, any Error>?>(nil)

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    /// The running pooler; the first call starts it.
    static func running() async throws -> TestPooler {
        let task = self.shared.withLock { shared in
            let task = shared ?? Task { try await Self.start() }
            shared = task
            return task
        }
        return try await task.value
    }

    private static func start() async throws -> TestPooler {
        let server = try await TestServer.running()
        let folder = try UnixSocket.makeFolder()
        chmod(folder, 0o755)
        let settings = """
            [databases]
            * = \(server.address) user=assay pool_size=3
            [pgbouncer]
            pool_mode = transaction
            listen_addr =
            listen_port = \(Self.port)
            unix_socket_dir = \(folder)/run
            auth_type = any
            max_client_conn = 1000
            logfile = \(folder)/run/log
            server_idle_timeout = 2
            """
        try settings.write(toFile: "\(folder)/pgbouncer.ini", atomically: true, encoding: .utf8)
        mkdir("\(folder)/run", 0o755)
        var configuration = ProcessConfiguration(
            "/usr/sbin/pgbouncer", ["\(folder)/pgbouncer.ini"], standardOutput: .null, standardError: .null,
            hasOwnGroup: true)
        // It does not run as root; the server's account may connect.
        if geteuid() == 0, let account = getpwnam("postgres") {
            chown("\(folder)/run", account.pointee.pw_uid, account.pointee.pw_gid)
            configuration.identity = .init(userID: account.pointee.pw_uid, groupID: account.pointee.pw_gid)
        }
        let process: ChildProcess
        do {
            process = try await server.loop.spawn(configuration)
        } catch {
            throw Failed(description: "PgBouncer can't be started (\(error)); install the package pgbouncer")
        }
        try await Self.removeAtExit(folder, process: process.processID, on: server.loop)
        let deadline = ContinuousClock.now + .seconds(20)
        while access("\(folder)/run/.s.PGSQL.\(Self.port)", F_OK) != 0 {
            guard process.result == nil, .now < deadline else {
                let log = (try? String(contentsOfFile: "\(folder)/run/log", encoding: .utf8)) ?? "no log"
                throw Failed(description: "PgBouncer did not start: \(log)")
            }
            try await server.loop.sleep(for: .milliseconds(10))
        }
        return TestPooler(folder: "\(folder)/run")
    }

    /// Has a helper process end the pooler when this process has ended, however it ends.
    private static func removeAtExit(_ folder: String, process: CInt, on loop: EventLoop) async throws {
        var ends: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Failed(description: "socketpair") }
        defer { close(ends[0]) }
        _ = try await loop.spawn(
            ProcessConfiguration(
                "/bin/sh", ["-c", "cat > /dev/null; kill -KILL \"$2\"; rm -rf \"$1\"", "sh", folder, "\(process)"],
                standardInput: .descriptor(ends[0]), standardOutput: .null, standardError: .null, hasOwnGroup: true))
    }
}

extension TestServer {
    /// Host and port, as a connection string has them.
    var address: String {
        self.configuration.connectionString.split(separator: " ")
            .filter { $0.hasPrefix("host=") || $0.hasPrefix("port=") }.joined(separator: " ")
    }
}

/// Runs `body` with an empty database of its own behind a PgBouncer in transaction mode, and drops it afterwards.
public func withPooledTestDatabase<Value>(
    poolSize: Int = 4, _ body: (TestDatabase) async throws -> Value
) async throws -> Value {
    let server = try await TestServer.running()
    let pooler = try await TestPooler.running()
    // Settings of the session don't last behind the pooler, so a search path would not do.
    let name = "test_\(String(UInt64.random(in: .min ... .max), radix: 16))"
    let owner = try await PostgresConnection.connect(server.configuration, on: server.loop)
    _ = try await owner.query(PostgresStatement(name: "create", sql: "CREATE DATABASE \(name)"))
    var configuration = try PostgresConfiguration(
        "host='\(pooler.folder)' port='\(TestPooler.port)' dbname='\(name)' user='assay'")
    configuration.applicationName = name
    let database = TestDatabase(
        configuration: configuration, pool: PostgresPool(configuration, on: server.loop, size: poolSize),
        loop: server.loop, schema: "public")
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(database))
    } catch {
        result = .failure(error)
    }
    await database.pool.shutDown()
    _ = try await owner.query(PostgresStatement(name: "drop", sql: "DROP DATABASE \(name) WITH (FORCE)"))
    await owner.close()
    return try result.get()
}
