internal import CPostgres

extension PostgresConfiguration {
    /// Settings that the connection string overrides: a dead peer is noticed within half a minute, and a standby
    /// is not taken for the primary.
    private static let defaults = [
        "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "15000",
        "target_session_attrs": "read-write",
    ]

    static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        guard !text.utf8.contains(0) else { throw PostgresError(.usage, "the connection string contains a NUL byte") }
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &problem) else {
            let reason = problem.map { String(cString: $0).trimmedLines }
            PQfreemem(problem)
            // libpq quotes the part that it can't read, which could be a password.
            let isHarmless = !text.contains("password") && !text.contains("@")
            let shown = isHarmless ? reason ?? "it is malformed" : "it is malformed (it may hold a password: not shown)"
            throw PostgresError(
                .usage, "bad connection string: \(shown)",
                hint: "write host=... dbname=... user=..., or postgres://user@host:port/database")
        }
        defer { PQconninfoFree(options) }
        var settings: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { settings[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return settings
    }

    /// Everything that PQconnectStartParams gets.
    var parameters: [String: String] {
        var parameters = Self.defaults.merging(self.settings) { _, new in new }
        parameters["fallback_application_name"] = self.applicationName
        parameters["client_encoding"] = "UTF8"
        // A time-out of libpq's own would only add a second clock: PQconnectPoll ignores it.
        parameters["connect_timeout"] = nil
        return parameters
    }

    /// The settings that a new connection makes for its session if it keeps one, as name and value.
    var sessionSettings: [(name: String, value: String)] {
        var settings = [(name: "DateStyle", value: "ISO, YMD")]
        if let timeout = self.statementTimeout {
            settings.append(("statement_timeout", String(max(1, timeout / .milliseconds(1)).rounded(.up).asInteger)))
        }
        if !self.searchPath.isEmpty {
            settings.append(("search_path", self.searchPath.map(\.quotedIdentifier).joined(separator: ", ")))
        }
        return settings
    }
}

extension Double {
    fileprivate var asInteger: Int { Int(exactly: self) ?? Int(Int32.max) }
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
