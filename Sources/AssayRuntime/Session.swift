internal import FoundationEssentials
internal import Glibc
public import JobQueue
public import Logging
public import Postgres
public import PostgresQueue
public import UVEventLoop

/// A command's connection to the queue and the store; closed whatever happens.
public struct Session: Sendable {
    public let settings: Settings
    public let logger: Logger
    /// The process's one loop: database sockets, timers, signals, child processes.
    public let loop: EventLoop
    public let queue: PostgresJobQueue

    /// Opens the queue for a worker: no call may hang on a dead connection, and outages are the worker's own to bridge.
    public static func withWorkerQueue<Value: Sendable>(
        _ settings: Settings, logger: Logger, _ body: (Session) async throws -> Value
    ) async throws -> Value {
        try await EmbeddedDatabase.withLoop { loop in
            var configuration = try EmbeddedDatabase.configuration(settings)
            try await self.checkSchema(configuration, settings, loop: loop, logger: logger)
            configuration.statementTimeout = .seconds(30)
            configuration.cancelTimeout = .seconds(5)
            var pooling = PostgresPool.Options()
            pooling.reconnectTimeout = .zero
            let pool = PostgresPool(configuration, on: loop, options: pooling, logger: logger)
            return try await self.with(pool, settings, logger: logger, body)
        }
    }

    /// Opens the queue that the settings name, checks its schema, runs `body` and closes everything.
    public static func with<Value: Sendable>(
        _ settings: Settings, logger: Logger, _ body: (Session) async throws -> Value
    ) async throws -> Value {
        try await EmbeddedDatabase.withLoop { loop in
            let pool = PostgresPool(try EmbeddedDatabase.configuration(settings), on: loop, size: 4, logger: logger)
            return try await self.with(pool, settings, logger: logger) { session in
                try await self.checkSchema(pool, settings)
                return try await body(session)
            }
        }
    }

    private static func with<Value: Sendable>(
        _ pool: PostgresPool, _ settings: Settings, logger: Logger, _ body: (Session) async throws -> Value
    ) async throws -> Value {
        do {
            let session = Session(
                settings: settings, logger: logger, loop: pool.loop, queue: PostgresJobQueue(pool))
            let value = try await body(session)
            await pool.shutDown()
            return value
        } catch {
            await pool.shutDown()
            throw error
        }
    }

    /// Runs `body` with another way into the same queue, on a loop of its own; for the heartbeat.
    ///
    /// - Parameter patience: After this time a call is given up, together with its connection.
    public func withSecondQueue<Value: Sendable>(
        patience: Duration, _ body: (PostgresJobQueue, EventLoop) async throws -> Value
    ) async throws -> Value {
        var configuration = try EmbeddedDatabase.configuration(self.settings)
        configuration.connectTimeout = min(configuration.connectTimeout, patience)
        configuration.statementTimeout = patience
        configuration.cancelTimeout = .zero
        var pooling = PostgresPool.Options()
        // One may still be about to be given up when the next one is needed.
        pooling.size = 2
        pooling.reconnectTimeout = .zero
        return try await EmbeddedDatabase.withLoop { [configuration, pooling] loop in
            let pool = PostgresPool(configuration, on: loop, options: pooling, logger: self.logger)
            do {
                let value = try await body(PostgresJobQueue(pool), loop)
                await pool.shutDown()
                return value
            } catch {
                await pool.shutDown()
                throw error
            }
        }
    }

    /// Brings the schema up to date; answers its version, and what roles were granted.
    public static func migrate(
        _ settings: Settings, logger: Logger, _ options: MigrationOptions
    ) async throws -> (version: Int, grants: [RoleGrant]) {
        try await EmbeddedDatabase.withLoop { try await self.migrate(settings, logger: logger, options, loop: $0) }
    }

    static func migrate(
        _ settings: Settings, logger: Logger, _ options: MigrationOptions = MigrationOptions(), loop: EventLoop
    ) async throws -> (version: Int, grants: [RoleGrant]) {
        let pool = PostgresPool(try EmbeddedDatabase.configuration(settings), on: loop, size: 1, logger: logger)
        do {
            let migrator = Migrator(pool)
            _ = try await migrator.migrate(options)
            let answer = (version: try await migrator.status().version, grants: try await migrator.grants())
            await pool.shutDown()
            return answer
        } catch {
            await pool.shutDown()
            throw error
        }
    }

    private static func checkSchema(
        _ configuration: PostgresConfiguration, _ settings: Settings, loop: EventLoop, logger: Logger
    ) async throws {
        let pool = PostgresPool(configuration, on: loop, size: 1, logger: logger)
        do {
            try await self.checkSchema(pool, settings)
            await pool.shutDown()
        } catch {
            await pool.shutDown()
            throw error
        }
    }

    /// Migrates the embedded server by itself; on any other one an old schema is the operator's to migrate.
    private static func checkSchema(_ pool: PostgresPool, _ settings: Settings) async throws {
        let migrator = Migrator(pool)
        let status = try await migrator.status()
        guard !status.isCurrent else { return }
        guard settings.databaseURL == nil else {
            throw UserError(
                "the database's schema is at version \(status.version); \(status.pending.joined(separator: ", ")) is to come",
                hint: "bring it up to date with `assay migrate`")
        }
        _ = try await migrator.migrate()
    }

    /// Where task files' data is looked for besides their own folder.
    public var dataFolders: [String] { ["\(self.settings.home.value)/data"] }

    /// Who submits.
    public var userName: String {
        let environment = ProcessInfo.processInfo.environment
        if let name = environment["USER"] ?? environment["LOGNAME"] { return name }
        guard let entry = getpwuid(getuid()), let name = entry.pointee.pw_name else { return "uid \(getuid())" }
        return String(cString: name)
    }
}

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
    public static func warning(about url: Setting?) -> String? {
        guard let url, url.source == .flag, (try? PostgresConfiguration(url.value))?.hasPassword == true else {
            return nil
        }
        return "warning: everybody on this machine can read the password in --database-url (ps); give it in "
            + "ASSAY_DATABASE_URL, ~/.pgpass, PGPASSWORD or a service of ~/.pg_service.conf (service=NAME)"
    }

    /// How to reach the database that the settings name.
    public static func configuration(_ settings: Settings) throws(UserError) -> PostgresConfiguration {
        do {
            guard let url = settings.databaseURL else {
                return try EmbeddedServer.configuration(home: settings.home.value)
            }
            var configuration = try PostgresConfiguration(url.value)
            configuration.pooler = try self.pooler(settings)
            return configuration
        } catch let failure as UserError {
            throw failure
        } catch {
            throw UserError("\(error)")
        }
    }

    private static func pooler(_ settings: Settings) throws(UserError) -> PostgresPooler {
        guard let pooler = PostgresPooler(rawValue: settings.databasePooler.value) else {
            throw UserError(
                "the database's pooler '\(settings.databasePooler.value)' "
                    + "(\(settings.databasePooler.source.rawValue)) is unknown",
                hint: "use one of \(PostgresPooler.allCases.map(\.rawValue).joined(separator: ", "))", kind: .usage)
        }
        return pooler
    }

    public static func withLoop<Value: Sendable>(_ body: (EventLoop) async throws -> Value) async throws -> Value {
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
