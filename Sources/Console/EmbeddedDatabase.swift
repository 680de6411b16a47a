internal import FoundationEssentials
internal import JobQueue
public import Logging
internal import Postgres
internal import UVEventLoop

/// The embedded PostgreSQL of a home folder, as the commands use it.
public enum EmbeddedDatabase {
    /// Starts the server unless it runs, migrates it, and answers the schema's version.
    ///
    /// - Parameter adopting: Take a copied or restored home for one of its own.
    public static func start(_ settings: Settings, adopting: Bool = false, logger: Logger) async throws -> Int {
        try await self.withLoop { loop in
            _ = try await self.server(settings, on: loop, logger).start(adopting: adopting)
            return try await Session.migrate(settings, logger: logger, loop: loop).version
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
            home: settings.home.value, on: loop, environment: Programs.environment, logger: logger)
    }

    /// The variables of libpq that were set when this program was started: those that have a say in how it reaches its
    /// database, and those that have none.
    public static func libpqVariables(_ settings: Settings) -> (used: [String], ignored: [String]) {
        let inherited = LibpqEnvironment.inherited
        let configuration = settings.databaseURL.flatMap { try? PostgresConfiguration($0.value) }
        let used = configuration?.usedVariables(of: inherited) ?? []
        return (used, inherited.variables.keys.filter { !used.contains($0) }.sorted())
    }

    /// What is to be said about a URL that everybody on the machine can read.
    static func warning(about url: Setting?) -> String? {
        guard let url, url.source == .flag, (try? PostgresConfiguration(url.value))?.hasPassword == true else {
            return nil
        }
        return "warning: everybody on this machine can read the password in --database-url (ps); give it in "
            + "ASSAY_DATABASE_URL, ~/.pgpass, PGPASSWORD or a service of ~/.pg_service.conf (service=NAME)"
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
