internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

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
