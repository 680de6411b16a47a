/// A setting of the server that could change what statements mean, or whether a commit lasts, and the value that every
/// session gets.
///
/// Roles, databases and servers may set each of them for all sessions (ALTER ROLE ... SET), mostly for reasons that have
/// nothing to do with this program.
struct SessionSetting: Hashable {
    var name: String
    var value: String
    /// The one value that is replaced, where others are as good; nil replaces all.
    var replaced: String?
    /// Values that do as well, where the setting can't be made.
    var isAlsoGood: Set<String> = []
    /// A pooler in transaction mode must not be used with another value.
    var isVital = true

    /// Of all that a user may set, what has a bearing on results: the rest costs time at worst (enable_*, work_mem, jit,
    /// plan_cache_mode), goes to the log, or belongs to features that are not used (xmloption, default_text_search_config).
    static let all = [
        // A claim under another level than this decides by what was true before it waited.
        SessionSetting(name: "default_transaction_isolation", value: "read committed"),
        SessionSetting(name: "default_transaction_read_only", value: "off"),
        SessionSetting(name: "default_transaction_deferrable", value: "off"),
        // Without it the server forgets commits that it has confirmed; the other values promise more or less to standbys.
        SessionSetting(
            name: "synchronous_commit", value: "on", replaced: "off",
            isAlsoGood: ["local", "remote_write", "remote_apply"]),
        // Texts of values, in both directions.
        SessionSetting(name: "client_encoding", value: "UTF8"),
        SessionSetting(
            name: "DateStyle", value: "ISO, YMD", isAlsoGood: ["ISO, MDY", "ISO, DMY"]),
        SessionSetting(name: "IntervalStyle", value: "postgres"),
        SessionSetting(name: "TimeZone", value: "UTC", isVital: false),
        SessionSetting(name: "timezone_abbreviations", value: "Default", isVital: false),
        SessionSetting(name: "extra_float_digits", value: "1", isAlsoGood: ["2", "3"]),
        SessionSetting(name: "bytea_output", value: "hex"),
        // How statements are read.
        SessionSetting(name: "standard_conforming_strings", value: "on"),
        SessionSetting(name: "array_nulls", value: "on"),
        SessionSetting(name: "transform_null_equals", value: "off"),
        SessionSetting(name: "quote_all_identifiers", value: "off", isVital: false),
        // A policy is an error rather than rows that are not there.
        SessionSetting(name: "row_security", value: "on"),
        // Triggers and foreign keys don't work in a replica's session.
        SessionSetting(name: "session_replication_role", value: "origin"),
        SessionSetting(name: "exit_on_error", value: "off"),
        SessionSetting(name: "check_function_bodies", value: "on", isVital: false),
        SessionSetting(name: "restrict_nonsystem_relation_kind", value: "", isVital: false),
        // Limits: callers have their own. What a client leaves open that hangs or was stopped, others wait for.
        SessionSetting(name: "lock_timeout", value: "0", isVital: false),
        SessionSetting(name: "idle_in_transaction_session_timeout", value: "300000", isVital: false),
        SessionSetting(name: "idle_session_timeout", value: "0", isVital: false),
        SessionSetting(name: "transaction_timeout", value: "0", isVital: false),
    ]

    func isGood(_ found: String) -> Bool { found == self.value || self.isAlsoGood.contains(found) }
}

extension PostgresConfiguration {
    /// The settings that a new connection makes for its session if it keeps one.
    var sessionSettings: [SessionSetting] {
        var settings = SessionSetting.all
        let limit = self.statementTimeout.map { max(1, ($0 / .milliseconds(1)).rounded(.up)) } ?? 0
        settings.append(
            SessionSetting(
                name: "statement_timeout", value: "\(Int32(exactly: limit) ?? .max)", isVital: false))
        if !self.searchPath.isEmpty {
            let path = self.searchPath.map(\.quotedIdentifier).joined(separator: ", ")
            settings.append(SessionSetting(name: "search_path", value: path, isVital: false))
        }
        return settings
    }
}

/// What the server says about a session that has just begun.
struct SessionFacts {
    /// False behind a pooler that may run the next statement in another server process.
    var keepsSession: Bool
    var role: String
    var database: String
    /// The schemas that unqualified names are looked up in, as far as they exist and may be used; nil for none.
    var searchPath: String?
    /// The settings as they are now, by name; without those that the server's version doesn't know.
    var values: [String: String]

    /// Makes the settings where the session is kept, and answers what holds from then on.
    ///
    /// All in one statement, because a pooler could run a second one elsewhere: the settings would be left to strangers
    /// there. Every name is qualified: the search path is one of the things that are yet to be settled. What is there
    /// already is not set again, since some settings only a superuser may touch.
    static let statement = PostgresStatement(
        name: "session_settings",
        sql: """
            WITH session AS MATERIALIZED (
                SELECT $1::pg_catalog.int4 IS NULL
                        OR pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AS is_kept,
                    (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n), ', ' ORDER BY i)
                    FROM ROWS FROM (pg_catalog.unnest(pg_catalog.current_schemas(false))) WITH ORDINALITY AS t (n, i)
                    WHERE n OPERATOR(pg_catalog.<>) 'pg_catalog'
                        AND pg_catalog."left"(n::pg_catalog.text, 7) OPERATOR(pg_catalog.<>) 'pg_temp') AS path
            ), wanted AS MATERIALIZED (
                SELECT name, value, replaced, pg_catalog.current_setting(name, true) AS found
                FROM ROWS FROM (
                    pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]),
                    pg_catalog.unnest($4::pg_catalog.text[])) AS t (name, value, replaced)
                UNION ALL
                SELECT 'search_path', path OPERATOR(pg_catalog.||) ', pg_temp', '',
                    pg_catalog.current_setting('search_path')
                FROM session WHERE $5::pg_catalog.bool
            )
            SELECT is_kept, session_user::pg_catalog.text AS role, pg_catalog.current_database()::pg_catalog.text
                AS database, path, name, CASE
                    WHEN is_kept AND found OPERATOR(pg_catalog.<>) value
                        AND (replaced OPERATOR(pg_catalog.=) '' OR found OPERATOR(pg_catalog.=) replaced)
                    THEN pg_catalog.set_config(name, value, false) ELSE found END AS value
            FROM session CROSS JOIN wanted
            """)

    init(_ rows: PostgresRows) throws(PostgresError) {
        guard let first = rows.first else { throw PostgresError(.decoding, "the session has no settings") }
        self.keepsSession = try first.decode("is_kept")
        self.role = try first.decode("role")
        self.database = try first.decode("database")
        self.searchPath = try first.decode("path")
        self.values = [:]
        for row in rows {
            guard let value = try row.decode("value", as: String?.self) else { continue }
            self.values[try row.decode("name", as: String.self)] = value
        }
    }

    /// Fails where the session can't be worked in: with what was found, and the statement that changes it.
    func check(_ settings: [SessionSetting], isPathChosen: Bool) throws(PostgresError) {
        guard self.searchPath != nil || isPathChosen else {
            throw PostgresError(
                .usage, "the search path of the role \(self.role) names no schema that exists and that it may use",
                hint: "\(self.alter("search_path", "public")), or GRANT USAGE ON SCHEMA public TO "
                    + self.role.quotedIdentifier)
        }
        guard !self.keepsSession else { return }
        let wrong = settings.filter { setting in
            guard setting.isVital, let found = self.values[setting.name] else { return false }
            return !setting.isGood(found)
        }
        guard !wrong.isEmpty else { return }
        let found = wrong.map { "\($0.name) is '\(self.values[$0.name] ?? "")' and must be '\($0.value)'" }
        throw PostgresError(
            .usage,
            "\(found.joined(separator: "; ")); a pooler in transaction mode keeps no session in which it could be set",
            hint: wrong.map { self.alter($0.name, $0.value) }.joined(separator: "; ")
                + "; then let the pooler connect again (PgBouncer: RECONNECT)")
    }

    /// Outranks the server's, the database's and the role's own setting.
    private func alter(_ name: String, _ value: String) -> String {
        "ALTER ROLE \(self.role.quotedIdentifier) IN DATABASE \(self.database.quotedIdentifier) "
            + "SET \(name) = '\(value)'"
    }
}
