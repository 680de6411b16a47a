internal import Logging
internal import UVEventLoop

extension EmbeddedServer {
    /// Makes the cluster if there is none, starts the server unless it runs, and makes the database.
    ///
    /// Any number of processes may do this at once; they all get the same server. Returns how to connect.
    @discardableResult
    public func start() async throws(PostgresError) -> PostgresConfiguration {
        try Files.makeFolder(self.home, mode: 0o755)
        let lock = try await self.lock()
        defer { lock.unlock() }
        let account = try ServerAccount.current()
        var location: ClusterLocation
        if let recorded = try ClusterLocation.recorded(in: self.home) {
            location = recorded
            try location.checkOwner(account)
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
        try location.record(in: self.home)
        if Postmaster.running(in: location.dataFolder) != nil {
            if let configuration = try await self.connectToRunning(location) { return configuration }
            // It runs but can't be reached, e.g. because something has cleaned up its socket.
            try await self.control(["stop", "-m", StopMode.fast.rawValue], location, account, binaries)
        }
        Postmaster.removeStaleFile(in: location.dataFolder)
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
        let connection = try await PostgresConnection.connect(
            location.configuration(database: "postgres"), on: self.loop, logger: self.logger)
        do throws(PostgresError) {
            let known = try await connection.query(
                PostgresStatement(name: "find_database", sql: "SELECT 1 FROM pg_database WHERE datname = $1"),
                [Self.databaseName])
            if known.isEmpty {
                let sql = "CREATE DATABASE \(Self.databaseName.quotedIdentifier)"
                _ = try await connection.query(PostgresStatement(name: "create_database", sql: sql))
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return try location.configuration(database: Self.databaseName)
    }
}
