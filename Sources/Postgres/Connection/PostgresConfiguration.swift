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
