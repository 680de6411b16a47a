internal import UVEventLoop

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
