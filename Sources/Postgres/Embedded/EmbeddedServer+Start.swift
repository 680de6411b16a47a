internal import Logging
internal import UVEventLoop

extension EmbeddedServer {
    /// Makes the cluster if there is none, starts the server unless it runs, and makes the database.
    ///
    /// Any number of processes may do this at once; they all get the same server. Returns how to connect.
    ///
    /// - Parameter adopting: Make a copied or restored cluster this home's own, with a database that stores don't take for
    ///   the original.
    @discardableResult
    public func start(adopting: Bool = false) async throws(PostgresError) -> PostgresConfiguration {
        try Files.makeFolder(self.home, mode: 0o755)
        let lock = try await self.lock()
        defer { lock.unlock() }
        let account = try ServerAccount.current()
        var location: ClusterLocation
        var isCopy = false
        if let recorded = try ClusterLocation.recorded(in: self.home) {
            location = recorded
            try location.checkOwner(account)
            if let refusal = try location.refusalAsCopy() {
                guard adopting else { throw refusal }
                isCopy = true
            }
        } else {
            // Without the programs nothing is to be made.
            _ = try await ServerBinaries.find(environment: self.environment, version: nil, on: self.loop)
            location = try ClusterLocation.choose(home: self.home, account: account)
        }
        let binaries = try await ServerBinaries.find(
            environment: self.environment, version: Files.read(location.dataFolder + "/PG_VERSION"), on: self.loop)
        if try self.initializeNeeded(location) { try await self.initialize(location, account, binaries) }
        try location.chooseSocketFolder(
            runtimeFolder: account.isSwitched ? nil : self.environment["XDG_RUNTIME_DIR"], account: account)
        // A copy stays one until its database is another one.
        location.marks = isCopy ? [] : ClusterLocation.marks(of: location.dataFolder)
        try location.record(in: self.home)
        let configuration = try await self.start(location, account, binaries)
        guard isCopy else { return configuration }
        try await self.renewDatabase(location)
        location.marks = ClusterLocation.marks(of: location.dataFolder)
        try location.record(in: self.home)
        return configuration
    }

    private func start(
        _ location: ClusterLocation, _ account: ServerAccount, _ binaries: ServerBinaries
    ) async throws(PostgresError) -> PostgresConfiguration {
        let isRunning = Postmaster.running(in: location.dataFolder) != nil
        // A server that this system doesn't show (in a container beside this one) still has its socket.
        if isRunning || Files.isListening(location.socketPath) {
            if let configuration = try await self.connectToRunning(location) { return configuration }
            guard isRunning else {
                throw PostgresError(
                    .embeddedServer, "something that can't be reached listens on \(location.socketPath)",
                    hint: "see what it is (fuser \(location.socketPath)), or start with another ASSAY_HOME")
            }
            // It runs but can't be reached, e.g. because something has cleaned up its socket.
            try await self.control(["stop", "-m", StopMode.fast.rawValue], location, account, binaries)
        }
        try Postmaster.retireStaleFiles(of: location)
        try self.writeConfiguration(location, account)
        let options = "-c config_file=\"\(location.configurationPath)\""
        try await self.control(["start", "-l", location.logPath, "-o", options], location, account, binaries)
        return try await self.makeDatabase(location)
    }

    /// How to connect to a server that runs already, or nil when it can't be reached.
    private func connectToRunning(_ location: ClusterLocation) async throws(PostgresError) -> PostgresConfiguration? {
        do throws(PostgresError) {
            return try await self.makeDatabase(location)
        } catch {
            guard error.code == .connectionFailed, error.sqlState == nil else { throw error }
            self.logger?.debug("the embedded server is out of reach", metadata: ["error": "\(error.message)"])
            return nil
        }
    }

    private func makeDatabase(_ location: ClusterLocation) async throws(PostgresError) -> PostgresConfiguration {
        try await self.withMaintenance(location) { connection throws(PostgresError) in
            if try await Self.exists(Self.databaseName, connection) { return }
            // A renewal was cut off before its last step.
            let isCutOff = try await Self.exists(Self.renewedName, connection)
            try await connection.execute(
                script: isCutOff
                    ? "ALTER DATABASE \(Self.renewedName) RENAME TO \(Self.databaseName)"
                    : "CREATE DATABASE \(Self.databaseName)", name: "create_database")
        }
        return try location.configuration(database: Self.databaseName)
    }

    private static let renewedName = "assay_renewed"

    /// Moves everything into a database with another number, by which stores tell it from the one it was copied from.
    private func renewDatabase(_ location: ClusterLocation) async throws(PostgresError) {
        try await self.withMaintenance(location) { connection throws(PostgresError) in
            for sql in [
                "DROP DATABASE IF EXISTS \(Self.renewedName) WITH (FORCE)",
                "CREATE DATABASE \(Self.renewedName) TEMPLATE \(Self.databaseName)",
                "DROP DATABASE \(Self.databaseName) WITH (FORCE)",
                "ALTER DATABASE \(Self.renewedName) RENAME TO \(Self.databaseName)",
            ] {
                try await connection.execute(script: sql, name: "renew_database")
            }
        }
    }

    private static func exists(
        _ database: String, _ connection: PostgresConnection
    ) async throws(PostgresError) -> Bool {
        let find = PostgresStatement(name: "find_database", sql: "SELECT 1 FROM pg_database WHERE datname = $1")
        return try await !connection.query(find, [database]).isEmpty
    }

    /// Lends a connection to the database that every cluster has.
    private func withMaintenance(
        _ location: ClusterLocation, _ body: (PostgresConnection) async throws(PostgresError) -> Void
    ) async throws(PostgresError) {
        let connection = try await PostgresConnection.connect(
            location.configuration(database: "postgres"), on: self.loop, logger: self.logger)
        do throws(PostgresError) {
            try await body(connection)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }
}
