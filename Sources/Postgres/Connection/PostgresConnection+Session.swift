internal import CPostgres

extension PostgresConnection {
    /// Finds out whether the connection keeps its server process, and makes the session's settings if it does.
    func beginSession(_ handle: LibpqHandle) async throws(PostgresError) {
        switch self.configuration.pooler {
        case .session: try await self.applySessionSettings()
        case .automatic: self.keepsSession = try await self.applySettingsUnlessPooled(handle)
        case .transaction: self.keepsSession = false
        }
        if !self.keepsSession { try self.checkPooled(handle) }
    }

    private func applySessionSettings() async throws(PostgresError) {
        let settings = self.configuration.sessionSettings
        let calls = settings.indices.map { "set_config($\(2 * $0 + 1), $\(2 * $0 + 2), false)" }
        let statement = PostgresStatement(name: "session_settings", sql: "SELECT " + calls.joined(separator: ", "))
        _ = try await self.query(statement, settings.flatMap { [$0.name, $0.value] })
    }

    /// One statement, because a pooler could run a second one elsewhere: the settings would be left to strangers there.
    private func applySettingsUnlessPooled(_ handle: LibpqHandle) async throws(PostgresError) -> Bool {
        let settings = self.configuration.sessionSettings
        let calls = settings.indices.map { index in
            "CASE WHEN pg_backend_pid() = $1::int4 THEN set_config($\(2 * index + 2), $\(2 * index + 3), false) END"
        }
        let columns = ["pg_backend_pid() = $1::int4 AS keeps_session"] + calls
        let statement = PostgresStatement(name: "session_settings", sql: "SELECT " + columns.joined(separator: ", "))
        let announced = PQbackendPID(handle.pointer)
        return try await self.query(statement, [announced] + settings.flatMap { [$0.name, $0.value] }).only()
            .decode("keeps_session", as: Bool.self)
    }

    /// What session settings would have taken care of must hold by itself.
    private func checkPooled(_ handle: LibpqHandle) throws(PostgresError) {
        guard self.configuration.searchPath.isEmpty else {
            throw PostgresError(
                .usage, "a search path needs a session, which a pooler in transaction mode does not keep",
                hint: "set the search path of the role or the database instead")
        }
        let style = PQparameterStatus(handle.pointer, "DateStyle").map { String(cString: $0) } ?? "ISO"
        guard style.hasPrefix("ISO") else {
            throw PostgresError(
                .usage, "the server writes dates in the style \"\(style)\", which can't be changed through a pooler",
                hint: "ALTER ROLE ... SET DateStyle = 'ISO, YMD', and restart the pooler")
        }
    }
}
