internal import UVEventLoop

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
