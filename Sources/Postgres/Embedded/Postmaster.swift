#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

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
