#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Where a home's cluster lies; recorded in the home as `postgres.json`.
///
/// Normally `home/postgres`. For root, whose server runs as another account, every folder above must be open to that
/// account; where one is not (/root, mode 700), or the file system doesn't let root give folders away, the cluster
/// lies in /var/lib/assay under a name made from the home's path.
struct ClusterLocation: Codable, Hashable {
    var home: String
    var folder: String
    /// Empty until chosen.
    var socketFolder: String
    /// The account that runs the server.
    var owner: String
    /// The machine that runs the server; two must never do so on one shared file system.
    var host: String
    /// What tells the cluster from its copies; nil in the records of earlier versions.
    var marks: [UInt64]?
    /// The home that the record names, where it is another one than it was found in.
    var recordedHome: String?

    private enum CodingKeys: CodingKey { case home, folder, socketFolder, owner, host, marks }

    static let sharedRoot = "/var/lib/assay"
    /// sun_path has 108 bytes on Linux, one of them for the NUL.
    static let maxSocketPath = 107

    var dataFolder: String { self.folder + "/data" }
    var logFolder: String { self.folder + "/log" }
    /// Only while there is a socket folder.
    var socketPath: String { "\(self.socketFolder)/.s.PGSQL.\(EmbeddedServer.port)" }
    var logPath: String { self.logFolder + "/server.log" }
    var configurationPath: String { self.folder + "/postgresql.conf" }

    static func recorded(in home: String) throws(PostgresError) -> ClusterLocation? {
        let path = home + "/postgres.json"
        guard let text = Files.read(path, limit: 65536) else { return nil }
        do {
            var location = try JSONDecoder().decode(ClusterLocation.self, from: Data(text.utf8))
            if location.home != home { location.move(to: home) }
            return location
        } catch {
            throw PostgresError(
                .embeddedServer, "\(path) is damaged, so the embedded server's cluster can't be found: \(error)",
                hint: "restore the file; it names the cluster's folder (normally \(home)/postgres)")
        }
    }

    /// The home has been moved or copied as a whole; a cluster inside it has gone along.
    private mutating func move(to home: String) {
        self.recordedHome = self.home
        if self.folder == self.home + "/postgres" { self.folder = home + "/postgres" }
        self.socketFolder = ""
        self.home = home
    }

    func record(in home: String) throws(PostgresError) {
        let path = home + "/postgres.json"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            throw PostgresError(.embeddedServer, "cannot write \(path)")
        }
        try Files.write([String(decoding: data, as: UTF8.self)], to: path)
    }

    static func choose(home: String, account: ServerAccount) throws(PostgresError) -> ClusterLocation {
        var location = ClusterLocation(
            home: home, folder: home + "/postgres", socketFolder: "", owner: account.name, host: Files.hostName)
        if account.isSwitched {
            let isOpen = Files.isTraversableByOthers(home)
            // Made and removed again: some file systems (NFS with root squashing) don't let root give folders away.
            let probe = location.folder + "/probe"
            if isOpen, (try? Files.makeFolder(location.folder, mode: 0o711)) != nil,
                (try? account.makeFolder(probe)) != nil
            {
                try Files.remove(probe)
                return location
            }
            try Files.makeFolder(Self.sharedRoot, mode: 0o711)
            location.folder = "\(Self.sharedRoot)/\(Self.name(of: home))"
        }
        try Files.makeFolder(location.folder, mode: account.isSwitched ? 0o711 : 0o700)
        return location
    }

    /// Fails when the cluster is another user's or another machine's.
    func checkOwner(_ account: ServerAccount) throws(PostgresError) {
        guard self.owner == account.name else {
            throw PostgresError(
                .embeddedServer, "the cluster in \(self.folder) belongs to \(self.owner), not to \(account.name)",
                hint: "use the account that ran `assay up` first, or another ASSAY_HOME")
        }
        guard self.host == Files.hostName || !Files.exists(self.dataFolder + "/postmaster.pid") else {
            throw PostgresError(
                .embeddedServer,
                "the server in \(self.folder) was started on the machine \(self.host) and may still run",
                hint: "run `assay down` there; if that machine is gone, remove \(self.dataFolder)/postmaster.pid")
        }
    }

    /// Nothing of libpq's environment has a say: not even where the socket is (PGHOSTADDR).
    func configuration(database: String) throws(PostgresError) -> PostgresConfiguration {
        guard !self.socketFolder.isEmpty else {
            throw PostgresError(
                .embeddedServer, "the embedded server in \(self.home) has not been started there yet",
                hint: "start it with `assay up`")
        }
        let parts = [
            ("host", self.socketFolder), ("port", "\(EmbeddedServer.port)"), ("dbname", database),
            ("user", EmbeddedServer.roleName), ("requirepeer", self.owner),
        ]
        return try PostgresConfiguration(
            parts.map { "\($0)='\($1)'" }.joined(separator: " "), environment: .empty)
    }

    /// A name for a path: FNV-1a, 64 bits.
    static func name(of path: String) -> String {
        let hash = path.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

extension ClusterLocation {
    /// Settles where the socket lies: in the cluster, or where its path would be too long, in a short private folder.
    mutating func chooseSocketFolder(runtimeFolder: String?, account: ServerAccount) throws(PostgresError) {
        self.host = Files.hostName
        // A running server keeps its socket where it is.
        if !self.socketFolder.isEmpty, Files.exists(self.socketFolder) { return }
        let name = "assay-\(Self.name(of: self.folder))"
        let candidates = [self.folder + "/run", runtimeFolder.map { "\($0)/\(name)" }, "/tmp/\(name)"]
        let suffix = "/.s.PGSQL.\(EmbeddedServer.port).lock"
        guard
            let choice = candidates.compactMap({ $0 }).first(where: {
                ($0 + suffix).utf8.count <= Self.maxSocketPath && Files.exists(Files.parent($0))
            })
        else {
            throw PostgresError(
                .embeddedServer,
                "no folder for the server's socket has a path of at most \(Self.maxSocketPath - suffix.utf8.count) bytes: "
                    + candidates.compactMap(\.self).joined(separator: ", "),
                hint: "use an ASSAY_HOME with a shorter path, or make /tmp")
        }
        try account.makeFolder(choice)
        self.socketFolder = choice
    }
}

extension ClusterLocation {
    /// Inode numbers of what stays in place as long as the cluster does: a copy has others, a moved home the same ones.
    static func marks(of dataFolder: String) -> [UInt64] {
        ["", "/PG_VERSION", "/base", "/global"].compactMap { Files.inode(dataFolder + $0) }
    }

    /// The refusal of a cluster that is not the one which was made here; nil for an original.
    ///
    /// A copy of a home would be a second database that takes itself, and is taken by stores and workers, for the first.
    ///
    /// - Throws: For a copy that can't become a database of its own.
    func refusalAsCopy() throws(PostgresError) -> PostgresError? {
        let marks = Self.marks(of: self.dataFolder)
        let other = self.recordedHome.flatMap { Self.cluster(in: $0) }
        if let other, self.folder == other.folder {
            throw PostgresError(
                .embeddedServer, "\(self.home) is a copy of \(other.home), whose database lies in \(other.folder)",
                hint: "use that one (ASSAY_HOME=\(other.home)), "
                    + "or remove \(self.home)/postgres.json for a new, empty one")
        }
        // The original is still there: a snapshot of the file system has its inodes too, an old record has none.
        let isTwin =
            other.map { other in
                !Files.isSame(other.dataFolder, self.dataFolder) && (self.marks ?? other.found) == other.found
            } ?? false
        guard !marks.isEmpty, isTwin || (self.marks ?? marks) != marks else { return nil }
        let origin = self.recordedHome.map { " (\($0))" } ?? ""
        let wasRunning = Files.exists(self.dataFolder + "/postmaster.pid")
        return PostgresError(
            .embeddedServer,
            "the database in \(self.home) is a copy\(origin) or a restored backup: two would pass for the same one"
                + (wasRunning ? ". It was copied while its server ran, so it may be damaged" : ""),
            hint: (wasRunning ? "stop the server there (assay down) and copy again, or " : "")
                + "make it a database of its own: assay up --adopt")
    }

    /// What is known of the cluster of another home.
    private static func cluster(
        in home: String
    ) -> (home: String, folder: String, dataFolder: String, found: [UInt64])? {
        guard let location = try? Self.recorded(in: home), location.recordedHome == nil,
            Files.exists(location.dataFolder)
        else { return nil }
        return (home, location.folder, location.dataFolder, Self.marks(of: location.dataFolder))
    }
}
