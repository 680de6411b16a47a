internal import FoundationEssentials
internal import JobQueue
public import Logging
internal import Postgres
internal import UVEventLoop

/// The embedded PostgreSQL of a home folder, as the commands use it.
public enum EmbeddedDatabase {
    /// Starts the server unless it runs, migrates it, and answers the schema's version.
    public static func start(_ settings: Settings, logger: Logger) async throws -> Int {
        try await self.withLoop { loop in
            _ = try await self.server(settings, on: loop, logger).start()
            return try await Session.migrate(settings, logger: logger, loop: loop)
        }
    }

    /// Stops the server; false if it did not run.
    public static func stop(_ settings: Settings, logger: Logger) async throws -> Bool {
        try await self.withLoop { loop in
            let server = try self.server(settings, on: loop, logger)
            guard try server.isRunning else { return false }
            try await server.stop()
            return true
        }
    }

    private static func server(
        _ settings: Settings, on loop: EventLoop, _ logger: Logger
    ) throws(PostgresError) -> EmbeddedServer {
        try EmbeddedServer(
            home: settings.home.value, on: loop, environment: ProcessInfo.processInfo.environment, logger: logger)
    }

    /// How to reach the database that the settings name.
    static func configuration(_ settings: Settings) throws(CommandFailure) -> PostgresConfiguration {
        do {
            guard let url = settings.databaseURL else {
                return try EmbeddedServer.configuration(home: settings.home.value)
            }
            var configuration = try PostgresConfiguration(url.value)
            configuration.pooler = try self.pooler(settings)
            return configuration
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    private static func pooler(_ settings: Settings) throws(CommandFailure) -> PostgresPooler {
        guard let pooler = PostgresPooler(rawValue: settings.databasePooler.value) else {
            throw CommandFailure(
                "the database's pooler '\(settings.databasePooler.value)' "
                    + "(\(settings.databasePooler.source.rawValue)) is unknown",
                hint: "use one of \(PostgresPooler.allCases.map(\.rawValue).joined(separator: ", "))", exitCode: .usage)
        }
        return pooler
    }

    static func withLoop<Value: Sendable>(_ body: (EventLoop) async throws -> Value) async throws -> Value {
        let loop = try EventLoop(name: "postgres")
        do {
            let value = try await body(loop)
            await loop.shutDown()
            return value
        } catch {
            await loop.shutDown()
            throw error
        }
    }
}
