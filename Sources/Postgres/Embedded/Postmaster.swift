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
        guard let postmaster = Self.recorded(in: dataFolder), postmaster.isAlive else { return nil }
        return postmaster.worksIn(dataFolder) ? postmaster : nil
    }

    /// Removes a file that names a process which is no server of this folder.
    ///
    /// PostgreSQL sees by itself that a process is gone, but takes any living one of its account for the server: after
    /// the restart of a container, numbers come again.
    static func removeStaleFile(in dataFolder: String) {
        guard let postmaster = Self.recorded(in: dataFolder), postmaster.isAlive, !postmaster.worksIn(dataFolder) else {
            return
        }
        unlink(dataFolder + "/postmaster.pid")
    }

    private static func recorded(in dataFolder: String) -> Postmaster? {
        Files.read(dataFolder + "/postmaster.pid", limit: 4096).flatMap { Postmaster(pidFile: $0) }
    }

    private var isAlive: Bool { kill(self.processID, 0) == 0 || errno == EPERM }

    /// The server's working folder is its data folder; true also where the system doesn't tell.
    private func worksIn(_ dataFolder: String) -> Bool {
        guard let folder = Files.linkTarget("/proc/\(self.processID)/cwd") else {
            return !Files.exists("/proc/self/cwd")
        }
        return folder == Files.resolved(dataFolder)
    }
}
