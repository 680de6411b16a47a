internal import CPostgres

/// Where the database is and how connections to it behave.
public struct PostgresConfiguration: Sendable, Hashable {
    /// The connection string as given; it may hold a password, so it is never printed.
    public let connectionString: String
    /// What the string sets, and the environment besides, by libpq's keywords.
    let settings: [String: String]
    /// The connection string itself holds a password.
    public let hasPassword: Bool

    /// The time for one attempt to connect, name resolution and authentication included.
    public var connectTimeout: Duration = .seconds(10)
    /// The longest a single statement may take; nil for no limit.
    ///
    /// The server enforces it; a little later the client cancels the statement and gives the connection up if need be.
    public var statementTimeout: Duration?
    /// What pg_stat_activity shows, unless the connection string says otherwise.
    public var applicationName = "assay"
    /// The schemas that unqualified names are looked up in; empty for the server's default.
    public var searchPath: [String] = []
    /// Behind a pooler in transaction mode there are no prepared statements, no settings that last for a session (so
    /// `searchPath` must be empty) and no notifications.
    public var pooler = PostgresPooler.automatic
    /// How long a statement that is not waited for any longer may take to end on the server.
    ///
    /// After that the connection is given up. Zero gives it up at once, without asking the server to end the statement.
    public var cancelTimeout: Duration = .seconds(10)

    /// Reads a connection string of keywords and values, or a postgres:// URL.
    ///
    /// Parts that it leaves out come from libpq's environment variables (PGUSER, PGPASSWORD, ...), as far as they say
    /// where the server is and how to get in; see ``LibpqEnvironment``.
    public init(
        _ connectionString: String, environment: LibpqEnvironment = .inherited
    ) throws(PostgresError) {
        let given = try ConnectionString.parse(connectionString)
        self.settings = given.merging(environment.settings(besides: given)) { given, _ in given }
        self.connectionString = connectionString
        self.hasPassword = given["password"] != nil
        if let seconds = self.settings["connect_timeout"].flatMap({ Int($0) }), seconds > 0 {
            self.connectTimeout = .seconds(seconds)
        }
    }

    /// The variables of an environment that have a say in where this leads and how one gets in.
    public func usedVariables(of environment: LibpqEnvironment) -> [String] {
        environment.variables.filter { name, value in
            guard !LibpqEnvironment.ignored.contains(name), let keyword = LibpqEnvironment.keywords[name] else {
                return false
            }
            return self.settings[keyword] == value
        }.keys.sorted()
    }
}

extension PostgresConfiguration {
    /// The server is reached through a Unix socket, as far as the string says.
    var isLocal: Bool {
        self.settings["hostaddr"] == nil && (self.settings["host"] ?? "/").hasPrefix("/")
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Database, server and user; never the password.
    public var description: String {
        let database = self.settings["dbname"] ?? "the default database"
        let host = self.settings["host"] ?? self.settings["hostaddr"] ?? "the default host"
        let port = self.settings["port"].map { ", port \($0)" } ?? ""
        let user = self.settings["user"].map { " as \($0)" } ?? ""
        return "\(database) at \(host)\(port)\(user)"
    }

    public var debugDescription: String { self.description }

    public var customMirror: Mirror { Mirror(self, children: ["database": self.description]) }
}

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

/// What may stand between a client and its server process.
public enum PostgresPooler: String, Sendable, Hashable, CaseIterable {
    /// Found out on each connection: a pooler does not pass on the number of the server process, which the server knows.
    case automatic = "auto"
    /// No pooler, or one in session mode: a connection keeps its server process.
    case session
    /// A pooler in transaction mode, such as PgBouncer's: the next statement may run in another server process.
    case transaction
}

extension PostgresError {
    /// Statements get lost, or meet others of their name, when a pooler swaps the server process unnoticed.
    func suspectingPooler() -> PostgresError {
        guard self.sqlState == "26000" || self.sqlState == "42P05" else { return self }
        var error = self
        error.hint =
            "if a pooler in transaction mode (PgBouncer) stands before the server, say so: "
            + "ASSAY_DATABASE_POOLER=transaction"
        return error
    }
}

/// Reads connection strings with libpq's own parser.
///
/// What is wrong with one is said without any part of it that could belong to a password: libpq itself would take
/// "postgres://me:pa/ss@host" apart in other places than was meant, and quote what it can't use.
enum ConnectionString {
    /// The settings by keyword.
    static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        guard !text.utf8.contains(0) else { throw Self.bad("it contains a NUL byte") }
        guard text.contains(where: { !$0.isWhitespace }) else { throw Self.bad("it is empty") }
        if let rest = Self.rest(ofURL: text) {
            try Self.check(url: rest)
        } else if let scheme = text.firstMatch(of: #/^([A-Za-z][A-Za-z0-9+.-]*):\/\//#) {
            throw Self.bad("it begins with \(scheme.1)://", hint: "a URL of PostgreSQL begins with postgres://")
        }
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &problem) else {
            let reason = problem.map { String(cString: $0).trimmedLines } ?? "it is malformed"
            PQfreemem(problem)
            guard text.contains("password") || text.contains("@") else { throw Self.bad(reason) }
            throw Self.bad(
                "it is malformed (it may hold a password: not shown)",
                hint: "values with spaces stand in quotes (password='two words'), ' and \\ behind a \\; in a URL write "
                    + Self.encoded)
        }
        defer { PQconninfoFree(options) }
        var settings: [String: String] = [:]
        LibpqOption.forEach(in: options) { settings[$0.keyword] = $0.value }
        try Self.check(settings)
        return settings
    }

    private static let encoded = "% as %25, @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, a space as %20"

    private static func bad(_ reason: String, hint: String? = nil) -> PostgresError {
        PostgresError(
            .usage, "bad connection string: \(reason)",
            hint: hint ?? "write host=... dbname=... user=..., or postgres://user@host:port/database")
    }

    /// What follows the scheme; nil for keywords and values.
    private static func rest(ofURL text: String) -> Substring? {
        ["postgres://", "postgresql://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
    }

    private static func check(url: Substring) throws(PostgresError) {
        let isEncoded = url.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
            .allSatisfy { $0.utf8.count >= 2 && $0.utf8.prefix(2).allSatisfy(Self.isHexDigit) && !$0.hasPrefix("00") }
        guard isEncoded else {
            throw Self.bad("a % in it is not followed by two hexadecimal digits", hint: "write \(Self.encoded)")
        }
        var rest = url
        // User and password reach to the first @, unless a / comes before.
        if let mark = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[mark] == "@" {
            rest = rest[rest.index(after: mark)...]
        }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.first?.contains("@") != true else {
            throw Self.bad(
                "it has an @ in the host or behind it, as from a password with an @ or /", hint: "write \(Self.encoded)"
            )
        }
        guard parts.count > 1 else { return }
        var known: Set = ["ssl"]
        LibpqOption.forEach { known.insert($0.keyword) }
        for pair in parts[1].split(separator: "&", omittingEmptySubsequences: false) {
            let name = pair.prefix { $0 != "=" }
            guard known.contains(String(name)) else {
                // A password may have a question mark, too.
                let isWord = name.allSatisfy { $0.isLetter || $0 == "_" } && !parts[1].contains("@")
                throw Self.bad(
                    isWord ? "unknown parameter '\(name)'" : "what follows the ? is no parameter of libpq",
                    hint: "use libpq's keywords, such as sslmode, connect_timeout, application_name and "
                        + "target_session_attrs; in user and password write \(Self.encoded)")
            }
            guard name.endIndex < pair.endIndex, !pair.dropFirst(name.count + 1).contains("=") else {
                throw Self.bad("the parameter '\(name)' needs one value", hint: "write \(name)=VALUE, and = as %3D")
            }
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// What libpq would find out later, or never.
    private static func check(_ settings: [String: String]) throws(PostgresError) {
        for port in (settings["port"] ?? "").split(separator: ",") {
            guard let number = Int(port), (1...65535).contains(number) else {
                throw Self.bad("the port is no number from 1 to 65535")
            }
        }
        if let seconds = settings["connect_timeout"], Int(seconds) == nil {
            throw Self.bad("connect_timeout is '\(seconds)'", hint: "give whole seconds: connect_timeout=10")
        }
        guard settings["replication"] == nil else {
            throw Self.bad("replication connections can't be used", hint: "leave the parameter 'replication' out")
        }
    }
}
