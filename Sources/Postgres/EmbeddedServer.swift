public import Logging
public import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

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

extension EmbeddedServer {
    func initializeNeeded(_ location: ClusterLocation) throws(PostgresError) -> Bool {
        !Files.exists(location.dataFolder + "/PG_VERSION")
    }

    /// Makes the cluster beside its final place and moves it there when it is complete.
    func initialize(
        _ location: ClusterLocation, _ account: ServerAccount, _ binaries: ServerBinaries
    ) async throws(PostgresError) {
        let unfinished = location.dataFolder + ".new"
        try Files.remove(unfinished)
        try account.makeFolder(unfinished)
        try account.makeFolder(location.logFolder)
        var arguments = [
            "-D", unfinished, "-U", Self.roleName, "--encoding=UTF8", "--locale=C.UTF-8",
            // Our own pg_hba.conf replaces these; the cluster's own lets nobody in unidentified either.
            "--auth-local=peer", "--auth-host=reject", "--data-checksums",
        ]
        if !self.options.isDurable { arguments.append("--no-sync") }
        do throws(PostgresError) {
            try await account.run(binaries.path("initdb"), arguments, on: self.loop)
        } catch {
            throw PostgresError(
                error.code, "cannot make a database cluster in \(location.folder): \(error.message)",
                hint: PostgresError.hint(fromLog: error.message))
        }
        try Files.rename(unfinished, to: location.dataFolder)
    }

    /// Writes the files that the server reads at every start.
    ///
    /// They lie outside the data folder, in one that the starting user owns: so root never writes where the server's
    /// account could have put a link.
    func writeConfiguration(_ location: ClusterLocation, _ account: ServerAccount) throws(PostgresError) {
        let own = location.dataFolder + "/postgresql.conf"
        let made = Files.read(own, limit: 1 << 20) ?? ""
        let defaults = [
            "log_line_prefix": "%m [%p] %a ", "fsync": self.options.isDurable ? "on" : "off",
            "full_page_writes": self.options.isDurable ? "on" : "off",
        ]
        // initdb has written these into the cluster's own file; only another value there is somebody's wish.
        var corrections = ["timezone": "UTC", "log_timezone": "UTC", "lc_messages": "C"]
        let connections = ServerSettings.value(of: "max_connections", in: made)
        if connections == nil || connections == "100" { corrections["max_connections"] = "200" }
        // Without these the server would be another one than is looked for.
        let fixed = [
            "listen_addresses": "", "port": "\(Self.port)", "unix_socket_directories": location.socketFolder,
            "unix_socket_permissions": "0700", "hba_file": location.folder + "/pg_hba.conf",
            "ident_file": location.folder + "/pg_ident.conf",
        ].merging(self.options.settings) { _, new in new }
        let home = self.home + "/postgresql.conf"
        var lines = ["# Written by Assay at every start; what comes later wins. Settings of your own go to \(home)."]
        lines += ServerSettings.lines(defaults)
        lines.append("include_if_exists \(ServerSettings.quoted(own))")
        lines += ServerSettings.lines(corrections)
        // Copied: the server's account may be locked out of the home.
        if let text = try Files.readOwn(home, limit: 1 << 20) { lines += ["# From \(home):", text.trimmedLines] }
        lines += ServerSettings.lines(fixed)
        try Files.write(lines, to: location.configurationPath)
        try Files.write(
            ["# Written by Assay at every start.", "local all \(Self.roleName) peer map=\(Self.roleName)"],
            to: location.folder + "/pg_hba.conf")
        try Files.write(
            ["# Written by Assay at every start."]
                + Set([account.name, "root"]).sorted().map { "\(Self.roleName) \"\($0)\" \(Self.roleName)" },
            to: location.folder + "/pg_ident.conf")
    }
}

/// The form of postgresql.conf.
enum ServerSettings {
    static func lines(_ settings: [String: String]) -> [String] {
        settings.sorted { $0.key < $1.key }.map { "\($0.key) = \(Self.quoted($0.value))" }
    }

    static func quoted(_ value: String) -> String {
        "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// The value that counts, that is, the last one; without quotes.
    static func value(of name: String, in text: String) -> String? {
        var value: String?
        for line in text.split(whereSeparator: \.isNewline) {
            guard let match = line.firstMatch(of: #/^\s*(\w+)\s*(?:=\s*|\s)(?:'([^']*)'|([^\s#]+))/#),
                match.1.lowercased() == name
            else { continue }
            value = (match.2 ?? match.3).map(String.init)
        }
        return value
    }
}

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

extension EmbeddedServer {
    /// Stops the server if it runs; the cluster stays.
    public func stop(_ mode: StopMode = .fast) async throws(PostgresError) {
        guard Files.exists(self.home) else { return }
        let lock = try await self.lock()
        defer { lock.unlock() }
        guard let location = try ClusterLocation.recorded(in: self.home) else { return }
        try await self.stop(location, mode)
    }

    /// Stops the server and deletes the cluster with everything in it.
    public func remove() async throws(PostgresError) {
        guard Files.exists(self.home) else { return }
        let lock = try await self.lock()
        defer { lock.unlock() }
        guard let location = try ClusterLocation.recorded(in: self.home) else { return }
        try await self.stop(location, .immediate)
        try Files.remove(location.folder)
        if !location.socketFolder.isEmpty { try Files.remove(location.socketFolder) }
        try Files.remove(self.home + "/postgres.json")
    }

    private func stop(_ location: ClusterLocation, _ mode: StopMode) async throws(PostgresError) {
        guard Postmaster.running(in: location.dataFolder) != nil else { return }
        let account = try ServerAccount.current()
        try location.checkOwner(account)
        let binaries = try await ServerBinaries.find(
            environment: self.environment, version: Files.read(location.dataFolder + "/PG_VERSION"), on: self.loop)
        try await self.control(["stop", "-m", mode.rawValue], location, account, binaries)
    }

    func lock() async throws(PostgresError) -> FileLock {
        try await FileLock.acquire(self.home + "/postgres.lock", timeout: self.options.timeout, on: self.loop)
    }

    /// Runs pg_ctl and waits for what it does.
    func control(
        _ arguments: [String], _ location: ClusterLocation, _ account: ServerAccount, _ binaries: ServerBinaries
    ) async throws(PostgresError) {
        let seconds = Int(self.options.timeout / .seconds(1))
        do throws(PostgresError) {
            try await account.run(
                binaries.path("pg_ctl"), ["-D", location.dataFolder, "-w", "-s", "-t", "\(seconds)"] + arguments,
                on: self.loop)
        } catch {
            let what = arguments.first ?? ""
            let log = Files.tail(location.logPath)
            throw PostgresError(
                error.code, "the embedded server did not \(what): \(error.message)",
                detail: log.map { "the end of \(location.logPath):\n\($0)" },
                hint: PostgresError.hint(fromLog: (log ?? "") + error.message)
                    ?? "look at \(location.logPath)")
        }
    }
}

extension PostgresError {
    /// What to do about a failure of PostgreSQL's own programs, where their words give it away.
    static func hint(fromLog text: String) -> String? {
        if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
            return "the disk is full: make room, or give another folder with --home or ASSAY_HOME"
        }
        if text.contains("Read-only file system") || text.contains("Permission denied") {
            return "make the folder writable for the account named above, or give another one with --home or ASSAY_HOME"
        }
        if text.contains("shared memory") || text.contains("semaphore") {
            return "raise the system's limits for shared memory (a container's --shm-size; kernel.shmmax, kernel.sem)"
        }
        return text.contains("unrecognized configuration parameter") || text.contains("invalid value for parameter")
            ? "correct the setting in postgresql.conf" : nil
    }
}

/// A server process as its file postmaster.pid describes it.
///
/// Reference: "Lock file contents" in PostgreSQL's src/include/utils/pidfile.h.
struct Postmaster: Hashable {
    let processID: CInt
    /// It accepts connections.
    let isReady: Bool

    init?(pidFile text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let processID = CInt(first), processID > 0 else { return nil }
        self.processID = processID
        self.isReady = lines.count > 7 && lines[7].hasPrefix("ready")
    }

    /// The server that runs on a data folder; nil for a stale file.
    static func running(in dataFolder: String) -> Postmaster? {
        guard let postmaster = Self.recorded(in: dataFolder + "/postmaster.pid") else { return nil }
        return ProcessEntry(postmaster.processID)?.isServer(of: dataFolder) == true ? postmaster : nil
    }

    private static func recorded(in path: String) -> Postmaster? {
        Files.read(path, limit: 4096).flatMap { Postmaster(pidFile: $0) }
    }
}

extension Postmaster {
    /// Makes lock files that name a process which is no server of this cluster as good as those of a dead one.
    ///
    /// PostgreSQL sees by itself that a process is gone, but takes any that its account may signal for the server: after
    /// a crash, and the restart of a container, numbers come again, and where nobody waits for children a killed server
    /// stays as a zombie. Only for a cluster without a server, under the lock of its home.
    static func retireStaleFiles(of location: ClusterLocation) throws(PostgresError) {
        let file = location.dataFolder + "/postmaster.pid"
        if Self.mayMislead(file) { try Files.replaceFirstLine(of: file, by: "\(Self.noProcess)") }
        // The socket's lock has nothing in it but the number.
        let lock = location.socketPath + ".lock"
        if !location.socketFolder.isEmpty, Self.mayMislead(lock) { unlink(lock) }
    }

    /// Larger than any number of a process.
    ///
    /// The rest of the file stays: with it the server finds out by itself whether children of the last one still work in
    /// the shared memory that it names.
    private static let noProcess = CInt.max

    private static func mayMislead(_ path: String) -> Bool {
        guard let recorded = Self.recorded(in: path) else { return false }
        return kill(recorded.processID, 0) == 0 || errno == EPERM
    }
}

/// What the system tells about a process that is alive.
struct ProcessEntry {
    let processID: CInt
    /// The program's name; nil where the system doesn't tell.
    private let name: String?

    /// Nil when there is no such process, or just its zombie.
    init?(_ processID: CInt) {
        guard kill(processID, 0) == 0 || errno == EPERM else { return nil }
        self.processID = processID
        let status = Files.read("/proc/\(processID)/stat", limit: 1024)
        // "17 (a name) S 1 ...", where the name may have parentheses too.
        self.name = status.flatMap { text in
            text.firstIndex(of: "(").flatMap { open in
                text.lastIndex(of: ")").map { String(text[text.index(after: open)..<$0]) }
            }
        }
        let state = status.flatMap { text in text.lastIndex(of: ")").flatMap { text[$0...].dropFirst(2).first } }
        if let state, "ZX".contains(state) { return nil }
    }

    /// It is the server of this data folder, as far as can be seen; true also where the system tells nothing.
    func isServer(of dataFolder: String) -> Bool {
        guard let name = self.name else { return !Files.exists("/proc/self/stat") }
        var (own, data) = (stat(), stat())
        // The server's working folder is its data folder, by whatever path.
        if stat("/proc/\(self.processID)/cwd", &own) == 0, stat(dataFolder, &data) == 0 {
            return own.st_dev == data.st_dev && own.st_ino == data.st_ino
        }
        // Root in a container may not look at the folders of other accounts' processes, but at what was called.
        guard name == "postgres", let line = Files.read("/proc/\(self.processID)/cmdline", limit: 8192) else {
            return false
        }
        let arguments = line.split(separator: "\0")
        return zip(arguments, arguments.dropFirst()).contains { $0 == "-D" && $1 == dataFolder }
    }
}
