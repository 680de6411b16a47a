public import Postgres
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

/// The server that all tests of a process share, in a temporary folder.
struct TestServer: Sendable {
    let configuration: PostgresConfiguration
    let loop: EventLoop

    private static let shared = Mutex<Task<TestServer, any Error>?>(nil)

    /// The running server; the first call starts it.
    static func running() async throws -> TestServer {
        let task = self.shared.withLock { shared in
            let task = shared ?? Task { try await Self.start() }
            shared = task
            return task
        }
        return try await task.value
    }

    private static func start() async throws -> TestServer {
        let loop = try EventLoop(name: "test-loop")
        let folder = try TemporaryServerFolder()
        try await folder.removeAtExit(on: loop)
        let server = try EmbeddedServer(
            home: folder.path, on: loop, environment: ProcessInfo.processInfo.environment, options: .forTests)
        return TestServer(configuration: try await server.start(), loop: loop)
    }
}

extension EmbeddedServer.Options {
    /// Fast rather than durable.
    public static var forTests: EmbeddedServer.Options {
        var options = EmbeddedServer.Options()
        options.isDurable = false
        options.settings = [
            "max_connections": "500", "max_wal_size": "256MB", "shared_buffers": "64MB", "deadlock_timeout": "100ms",
        ]
        return options
    }
}
