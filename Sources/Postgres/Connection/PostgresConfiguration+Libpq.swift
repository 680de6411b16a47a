extension PostgresConfiguration {
    /// Settings that the connection string overrides: a dead peer is noticed within half a minute, and a standby
    /// is not taken for the primary. (Not "read-write": that a role's transactions are read-only by default is no matter,
    /// since each session sets it.)
    private static let defaults = [
        "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "15000",
        "target_session_attrs": "primary",
    ]

    /// Everything that PQconnectStartParams gets, for each server in the order in which they are to be tried.
    ///
    /// libpq tries several hosts by itself, but has no clock while it does: one that answers nothing would use up all
    /// the time that there is.
    var parameters: [[String: String]] {
        var parameters = Self.defaults.merging(self.settings) { _, new in new }
        parameters["fallback_application_name"] = self.applicationName
        parameters["client_encoding"] = "UTF8"
        // A time-out of libpq's own would only add a second clock: PQconnectPoll ignores it.
        parameters["connect_timeout"] = nil
        let lists = ["host", "hostaddr", "port"].compactMap { keyword in
            parameters[keyword].map { (keyword, $0.split(separator: ",", omittingEmptySubsequences: false)) }
        }
        let count = lists.map(\.1.count).max() ?? 1
        // Lists that don't fit each other are for libpq to refuse, and to prefer a standby takes a look at all.
        let fits = lists.allSatisfy { $1.count == count || ($0 == "port" && $1.count == 1) }
        guard count > 1, fits, parameters["target_session_attrs"] != "prefer-standby" else { return [parameters] }
        let servers = (0..<count).map { number in
            lists.reduce(into: parameters) { $0[$1.0] = String($1.1.count == 1 ? $1.1[0] : $1.1[number]) }
        }
        return parameters["load_balance_hosts"] == "random" ? servers.shuffled() : servers
    }
}

extension String {
    /// The text as an SQL identifier in double quotes.
    var quotedIdentifier: String {
        var quoted = "\""
        for character in self.unicodeScalars {
            if character == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }
}
