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
            throw PostgresError(error.code, "cannot make a database cluster in \(location.folder): \(error.message)")
        }
        try Files.rename(unfinished, to: location.dataFolder)
    }

    /// Writes the files that the server reads at every start.
    ///
    /// They lie outside the data folder, in one that the starting user owns: so root never writes where the server's
    /// account could have put a link.
    func writeConfiguration(_ location: ClusterLocation, _ account: ServerAccount) throws(PostgresError) {
        var settings = [
            "listen_addresses": "", "port": "\(Self.port)", "unix_socket_directories": location.socketFolder,
            "unix_socket_permissions": "0700", "hba_file": location.folder + "/pg_hba.conf",
            "ident_file": location.folder + "/pg_ident.conf", "max_connections": "200", "timezone": "UTC",
            "log_timezone": "UTC", "lc_messages": "C", "log_line_prefix": "%m [%p] %a ",
            "fsync": self.options.isDurable ? "on" : "off",
            "full_page_writes": self.options.isDurable ? "on" : "off",
        ]
        settings.merge(self.options.settings) { _, new in new }
        let own = location.dataFolder + "/postgresql.conf"
        var lines = ["# Written by Assay at every start. Settings of your own go to \(own)."]
        lines.append("include_if_exists \(Self.quoted(own))")
        lines += settings.sorted { $0.key < $1.key }.map { "\($0.key) = \(Self.quoted($0.value))" }
        try Files.write(lines, to: location.configurationPath)
        try Files.write(
            ["# Written by Assay at every start.", "local all \(Self.roleName) peer map=\(Self.roleName)"],
            to: location.folder + "/pg_hba.conf")
        try Files.write(
            ["# Written by Assay at every start."]
                + Set([account.name, "root"]).sorted().map { "\(Self.roleName) \"\($0)\" \(Self.roleName)" },
            to: location.folder + "/pg_ident.conf")
    }

    private static func quoted(_ value: String) -> String {
        "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
