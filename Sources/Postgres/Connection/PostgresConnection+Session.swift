internal import CPostgres

extension PostgresConnection {
    /// Finds out whether the connection keeps its server process, makes the session's settings if it does, and fails
    /// where they can't hold.
    func beginSession(_ handle: LibpqHandle) async throws(PostgresError) {
        try self.checkEncoding(handle)
        let settings = self.configuration.sessionSettings
        // No server process has this number.
        let announced: Int32? =
            switch self.configuration.pooler {
            case .session: nil
            case .automatic: PQbackendPID(handle.pointer)
            case .transaction: -1
            }
        self.keepsSession = self.configuration.pooler != .transaction
        let isPathChosen = !self.configuration.searchPath.isEmpty
        let parameters: [(any PostgresEncodable)?] = [
            announced, settings.map(\.name), settings.map(\.value), settings.map { $0.replaced ?? "" }, !isPathChosen,
        ]
        let facts: SessionFacts
        do throws(PostgresError) {
            facts = try SessionFacts(try await self.query(SessionFacts.statement, parameters))
        } catch {
            throw error.explainingSettings()
        }
        self.keepsSession = facts.keepsSession
        guard self.keepsSession || !isPathChosen else {
            throw PostgresError(
                .usage, "a search path needs a session, which a pooler in transaction mode does not keep",
                hint: "set the search path of the role or the database instead")
        }
        try facts.check(settings, isPathChosen: isPathChosen)
    }

    /// Texts that can't be stored are found out when the work is done: a failed shard whose message has a character that
    /// the database lacks.
    private func checkEncoding(_ handle: LibpqHandle) throws(PostgresError) {
        guard let name = PQparameterStatus(handle.pointer, "server_encoding").map({ String(cString: $0) }),
            name != "UTF8"
        else { return }
        let database = PQdb(handle.pointer).map { String(cString: $0) } ?? ""
        throw PostgresError(
            .usage,
            "the database \"\(database)\" has the encoding \(name), which can't hold all texts; it must be UTF8",
            hint: "CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8', and use that one; "
                + "pg_dump and psql move what is in this one")
    }
}

extension PostgresError {
    /// A setting that a superuser has made for the role, and only one can unmake.
    fileprivate func explainingSettings() -> PostgresError {
        guard self.sqlState == "42501" else { return self }
        var error = self
        error.code = .usage
        error.hint = "as a superuser: ALTER ROLE ... RESET the setting, or ALTER DATABASE ... RESET it"
        return error
    }
}
