internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The account that runs the server: the user's own, or "postgres" for root.
struct ServerAccount: Hashable {
    let name: String
    let userID: UInt32
    let groupID: UInt32
    /// It is not the account of this process.
    let isSwitched: Bool

    static func current() throws(PostgresError) -> ServerAccount {
        if geteuid() != 0 {
            guard let account = Self.look(up: nil) else {
                throw PostgresError(
                    .embeddedServer,
                    "user number \(geteuid()) has no entry in the system's user database, which PostgreSQL needs",
                    hint: "add the user to /etc/passwd, or set ASSAY_DATABASE_URL to a server elsewhere")
            }
            return account
        }
        guard let account = Self.look(up: "postgres") else {
            throw PostgresError(
                .embeddedServer, "PostgreSQL does not run as root, and there is no account \"postgres\" to run it as",
                hint: "install the system's postgresql package, which makes one, or work as an ordinary user")
        }
        return account
    }

    /// Makes a folder that only this account can enter, or makes sure that there is one.
    func makeFolder(_ path: String) throws(PostgresError) {
        let isNew = mkdir(path, 0o700) == 0
        guard isNew || errno == EEXIST else { throw PostgresError(systemCall: "make the folder \(path)") }
        if isNew, self.isSwitched, lchown(path, self.userID, self.groupID) != 0 {
            let error = PostgresError(systemCall: "give the folder \(path) to \(self.name)")
            rmdir(path)
            throw error
        }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == self.userID,
            status.st_mode & 0o077 == 0
        else {
            throw PostgresError(
                .embeddedServer, "\(path) exists but is not a private folder of \(self.name)", hint: "remove it")
        }
    }

    /// Runs a program of PostgreSQL as this account; what it prints is in the error if it fails.
    func run(_ program: String, _ arguments: [String], on loop: EventLoop) async throws(PostgresError) {
        // Nothing of the user's settings (PGDATA, PGOPTIONS, LC_ALL, ...) is to reach the server.
        let environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "USER": self.name]
        let configuration = ProcessConfiguration(
            program, arguments, environment: environment, workingDirectory: "/",
            standardOutput: .capture(limit: 4096), standardError: .capture(limit: 4096), hasOwnGroup: true,
            identity: self.isSwitched ? .init(userID: self.userID, groupID: self.groupID) : nil)
        let result: ProcessResult
        do {
            result = try await loop.run(configuration)
        } catch is CancellationError {
            throw PostgresError(.cancelled, "cancelled while \(program) ran")
        } catch {
            throw PostgresError(.embeddedServer, "\(error)")
        }
        guard !result.termination.isSuccess else { return }
        let output = (result.standardError.text + result.standardOutput.text).trimmedLines
        throw PostgresError(.embeddedServer, "\(program) ended with \(result.termination): \(output)")
    }

    private static func look(up name: String?) -> ServerAccount? {
        var entry = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        let status =
            name.map { getpwnam_r($0, &entry, &buffer, buffer.count, &found) }
            ?? getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found)
        guard status == 0, found != nil, let known = entry.pw_name else { return nil }
        return ServerAccount(
            name: String(cString: known), userID: entry.pw_uid, groupID: entry.pw_gid,
            isSwitched: entry.pw_uid != geteuid())
    }
}

/// The folder with PostgreSQL's server programs.
struct ServerBinaries: Hashable {
    static let programs = ["initdb", "pg_ctl", "postgres"]

    let folder: String

    func path(_ program: String) -> String { "\(self.folder)/\(program)" }

    /// Takes ASSAY_POSTGRES_BIN if set, else looks in PATH and where distributions put versions side by side.
    ///
    /// For a cluster that exists, `version` is its major version, and only the same one will do.
    static func find(
        environment: [String: String], version: String?, on loop: EventLoop
    ) async throws(PostgresError) -> ServerBinaries {
        let version = version?.trimmedLines
        var candidates: [String]
        if let chosen = environment["ASSAY_POSTGRES_BIN"], !chosen.isEmpty {
            guard Self.isComplete(chosen) else {
                throw PostgresError(
                    .embeddedServer,
                    "ASSAY_POSTGRES_BIN is \(chosen), which lacks one of \(Self.programs.joined(separator: ", "))",
                    hint: "set it to a folder such as /usr/lib/postgresql/15/bin, or unset it")
            }
            candidates = [chosen]
        } else {
            let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
            candidates = (path.filter { $0.hasPrefix("/") } + Self.versioned()).filter(Self.isComplete)
        }
        guard let first = candidates.first else {
            throw PostgresError(
                .embeddedServer, "PostgreSQL's server programs (initdb, pg_ctl, postgres) were not found",
                hint: "install them (Debian: apt-get install postgresql), or set ASSAY_POSTGRES_BIN to their folder, "
                    + "or set ASSAY_DATABASE_URL to a server elsewhere")
        }
        guard let version else { return ServerBinaries(folder: first) }
        for candidate in candidates where await Self.majorVersion(candidate, on: loop) == version {
            return ServerBinaries(folder: candidate)
        }
        throw PostgresError(
            .embeddedServer,
            "the embedded cluster was made by PostgreSQL \(version), and only others are here: "
                + candidates.joined(separator: ", "),
            hint: "install PostgreSQL \(version), or set ASSAY_POSTGRES_BIN, or move the data over with pg_upgrade")
    }

    /// Debian's and Red Hat's folders, the newest version first.
    private static func versioned() -> [String] {
        let debian = Files.list("/usr/lib/postgresql").map { ($0, "/usr/lib/postgresql/\($0)/bin") }
        let redHat = Files.list("/usr").filter { $0.hasPrefix("pgsql-") }
            .map { (String($0.dropFirst(6)), "/usr/\($0)/bin") }
        return (debian + redHat).sorted { (Int($0.0) ?? 0) > (Int($1.0) ?? 0) }.map(\.1)
    }

    private static func isComplete(_ folder: String) -> Bool {
        Self.programs.allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
    }

    /// The "15" of "postgres (PostgreSQL) 15.18 (Debian ...)".
    private static func majorVersion(_ folder: String, on loop: EventLoop) async -> String? {
        let configuration = ProcessConfiguration(
            "\(folder)/postgres", ["--version"], standardOutput: .capture(limit: 1024), standardError: .null)
        guard let result = try? await loop.run(configuration), result.termination.isSuccess else { return nil }
        return result.standardOutput.text.firstMatch(of: #/\) (\d+)/#).map { String($0.1) }
    }
}
