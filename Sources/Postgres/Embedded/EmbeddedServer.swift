public import Logging
public import UVEventLoop

/// A private PostgreSQL cluster that belongs to an Assay home folder.
///
/// It listens on a Unix socket only. Everything below is found again through the file `postgres.json` in the home:
/// the cluster itself may lie elsewhere, see ``ClusterLocation``.
///
/// Who may connect: the socket's folder has mode 0700 and belongs to the account that runs the server, and the server
/// asks the kernel for the peer's account (method "peer") and lets in just that account and root, both as the role
/// "assay". So there is no password to keep, and it works for root, as whom PostgreSQL itself refuses to run: the
/// server then runs as the system's account "postgres". Clients check the server's account too (requirepeer), because
/// a socket under /tmp could be somebody else's.
public struct EmbeddedServer: Sendable {
    public struct Options: Sendable {
        /// False only for data that may be lost with the machine's power: tests.
        public var isDurable = true
        /// Further server settings, by name.
        public var settings: [String: String] = [:]
        /// How long starting, or another process's start, may take.
        public var timeout = Duration.seconds(90)

        public init() {}
    }

    /// How a stop treats those who are connected.
    public enum StopMode: String, Sendable {
        /// Disconnects them and writes everything out.
        case fast
        /// Ends at once as in a crash; the next start recovers.
        case immediate
    }

    public static let databaseName = "assay"
    static let roleName = "assay"
    static let port = 5432

    /// The home folder as an absolute path.
    public let home: String
    let loop: EventLoop
    let options: Options
    let environment: [String: String]
    let logger: Logger?

    /// Names the server of a home folder; nothing is touched before ``start()``.
    ///
    /// `environment` supplies PATH, ASSAY_POSTGRES_BIN and XDG_RUNTIME_DIR.
    public init(
        home: String, on loop: EventLoop, environment: [String: String], options: Options = Options(),
        logger: Logger? = nil
    ) throws(PostgresError) {
        self.home = try Files.absolute(home)
        self.loop = loop
        self.environment = environment
        self.options = options
        self.logger = logger
    }

    /// How to connect to the server of a home folder, whether it runs or not.
    public static func configuration(home: String) throws(PostgresError) -> PostgresConfiguration {
        let home = try Files.absolute(home)
        guard let location = try ClusterLocation.recorded(in: home) else {
            throw PostgresError(
                .embeddedServer, "there is no embedded server in \(home)",
                hint: "start one with `assay up`, or set ASSAY_DATABASE_URL")
        }
        return try location.configuration(database: Self.databaseName)
    }

    /// The server's process runs and accepts connections as far as its own status file says.
    public var isRunning: Bool {
        get throws(PostgresError) {
            guard let location = try ClusterLocation.recorded(in: self.home) else { return false }
            return Postmaster.running(in: location.dataFolder)?.isReady ?? false
        }
    }

    /// The path of the server's log, once there is a cluster.
    public var logPath: String? {
        get throws(PostgresError) { try ClusterLocation.recorded(in: self.home)?.logPath }
    }
}
