import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// A primary that dies when its standby lacks the last commits, and the standby in its place.
    ///
    /// What was confirmed and not replicated is gone with the primary, but for its files: they stand in the store, and
    /// the new primary has never heard of them. All of it is computed again, and counts once.
    @Suite struct StandbyTests {
        private struct Garbage: Decodable {
            var kept: [String: Int]
        }

        /// Enough for a worker to start and commit while others work, before the work runs short.
        private static let runs = 4
        private static let lostAtLeast = 20

        /// Claims and commits of workers that the standby knows: they go on with the leases that they had.
        @Test func aStandbyWithoutTheLastCommitsLosesAndDoublesNothing() async throws {
            try await FaultBench.with("fail-over to a standby that lags") { primary in
                let digest = try await References.shared.digest(of: .many)
                try await Standby.with(of: primary) { standby in
                    let runs = try await Self.submit(primary)
                    let workers = try await Self.startWork(primary, standby)
                    try await standby.cutOff()
                    try await Self.failOver(primary, standby)
                    let committed = try await Self.finish(standby.promoted, workers)
                    // What was confirmed by the one primary was confirmed again by the other.
                    #expect(committed > Self.runs * FaultJob.many.shards, "seed \(Seed.value)")
                    try await standby.promoted.expectUndisturbed(
                        runs, of: .many, digest: digest, after: ["standby promoted without the last commits": 1])
                    try await Self.expectStillThere(runs, digest, standby.promoted)
                }
            }
        }

        /// A worker that has registered and committed, and that the standby has never seen.
        @Test func aWorkerThatTheStandbyDoesNotKnowBeginsAnew() async throws {
            try await FaultBench.with("fail-over to a standby that does not know a worker") { primary in
                let digest = try await References.shared.digest(of: .many)
                try await Standby.with(of: primary) { standby in
                    let runs = try await Self.submit(primary)
                    let workers = try await Self.startWork(primary, standby)
                    try await standby.cutOff()
                    let unknown = try await primary.spawn(
                        "unknown", lease: 10, staying: true, server: standby.servers)
                    let mine = "shard_result r JOIN worker w USING (worker_id) WHERE w.pid = $1::int4"
                    try await primary.eventually("the unknown worker commits") {
                        try await primary.count(mine, unknown.processID) >= 5
                    }
                    let incarnation = try await primary.rows(
                        "SELECT incarnation FROM worker WHERE pid = $1::int4", unknown.processID
                    ).only().decode("incarnation", as: UUID.self)
                    try await Self.failOver(primary, standby)

                    let bench = standby.promoted
                    try await bench.eventually("the unknown worker registers again") {
                        try await bench.count("worker WHERE pid = $1::int4 AND state = 'live'", unknown.processID) == 1
                    }
                    _ = try await Self.finish(bench, workers + [unknown])
                    #expect(try await bench.count("worker WHERE incarnation = $1::uuid", incarnation) == 0)
                    #expect(try await bench.count("shard_result WHERE incarnation = $1::uuid", incarnation) == 0)

                    // Nothing proves that these files will never count, so they stay, and people are told.
                    let garbage = try await bench.bench.answer(Garbage.self, "results", "gc", "--older-than", "0s")
                    let published = try await Self.published(bench)
                    let left = try bench.storedFiles().filter { !$0.contains("/job.") && !published.contains($0) }
                    let name = incarnation.uuidString.lowercased()
                    #expect(!left.isEmpty && left.allSatisfy { $0.contains(name) }, "\(left)")
                    #expect(garbage.kept == ["stranger": left.count], "\(garbage)")
                    for path in left { try FileManager.default.removeItem(atPath: "\(bench.bench.store)/\(path)") }
                    try await bench.expectUndisturbed(
                        runs, of: .many, digest: digest, after: ["standby promoted that does not know a worker": 1])
                    try await Self.expectStillThere(runs, digest, bench)
                }
            }
        }

        private static func submit(_ primary: FaultBench) async throws -> [String] {
            var runs: [String] = []
            for _ in 0..<self.runs { runs.append(try await primary.submit(.many)) }
            return runs
        }

        /// Starts workers that stay, and returns when the standby has seen results of each.
        private static func startWork(_ primary: FaultBench, _ standby: Standby) async throws -> [WorkerProcess] {
            var random = Seed.generator("standby")
            let commits = Int.random(in: 10...60, using: &random)
            // A list of hosts alone means the primary; others write so themselves.
            var workers: [WorkerProcess] = []
            for (name, attributes) in [("plain", ""), ("read-write", " target_session_attrs='read-write'")] {
                workers.append(
                    try await primary.spawn(name, lease: 10, staying: true, server: standby.servers + attributes))
            }
            try await primary.eventually("both work, and the standby follows") {
                let busy = try await standby.replica.count(
                    "(SELECT DISTINCT worker_id FROM shard_result) AS busy")
                let done = try await standby.replica.count("shard_result")
                return busy == workers.count && done >= commits
            }
            return workers
        }

        /// Lets the primary commit more than the standby knows, kills it, and promotes the standby.
        private static func failOver(_ primary: FaultBench, _ standby: Standby) async throws {
            let all = self.runs * FaultJob.many.shards
            try await primary.eventually("the primary is ahead of the standby") {
                let done = try await primary.count("shard_result")
                guard try await standby.replica.count("shard_result") + self.lostAtLeast <= done else { return false }
                // In hand, when the server dies.
                return try await primary.count("shard WHERE state = 'running'") > 0
            }
            let confirmed = try await self.published(primary)
            try await primary.controlServer("stop")
            #expect(confirmed.count < all, "the primary died too late to prove anything")
            let lost = confirmed.subtracting(try await self.published(standby.replica))
            #expect(lost.count >= self.lostAtLeast, "\(lost.count) commits were lost, seed \(Seed.value)")
            try await standby.promote()
        }

        /// Has the workers do all the rest, and ends them.
        ///
        /// - Returns: How many commits were confirmed to them, by whichever server.
        private static func finish(_ bench: FaultBench, _ workers: [WorkerProcess]) async throws -> Int {
            try await bench.eventually("the workers do the rest", within: .seconds(180)) {
                // All the while, and without any grace: only files of dead claims may go.
                try await bench.collectGarbage()
                return try await bench.count("shard WHERE state <> 'done'") == 0
            }
            var committed = 0
            for worker in workers { try await worker.signal(SIGTERM) }
            for worker in workers {
                let summary = try await bench.summary(of: worker)
                #expect(summary.failed == 0, "\(worker.logText)")
                committed += summary.committed
            }
            #expect(try await bench.count("attempt WHERE outcome = 'failed'") == 0)
            return committed
        }

        /// After garbage was collected for the last time.
        private static func expectStillThere(_ runs: [String], _ digest: String, _ bench: FaultBench) async throws {
            for run in runs {
                #expect(try await bench.bench.assay("results", "verify", run).contains("files are as published"))
                #expect(try await bench.bench.assay("results", "digest", run) == digest)
            }
        }

        private static func published(_ bench: FaultBench) async throws -> Set<String> {
            Set(try await bench.rows("SELECT path FROM shard_result").map { try $0.decode("path", as: String.self) })
        }
    }
}

/// A standby of a bench's own server that is fed asynchronously, and how to reach whichever of the two is the primary.
private struct Standby: Sendable {
    /// Both hosts, as a worker is told of them.
    let servers: String
    /// Looks into the standby as long as it is one; nothing can be changed there.
    let replica: FaultBench
    /// The bench with the list of servers instead of its own server.
    let promoted: FaultBench
    private let primary: FaultBench
    private let folder: String
    private let account: ServerAccount

    /// Runs `body` with a standby that follows, and stops it whatever happens.
    static func with(of primary: FaultBench, _ body: (Standby) async throws -> Void) async throws {
        let standby = try Standby(of: primary)
        do {
            try await standby.copyPrimary()
            try await standby.start()
            try await body(standby)
        } catch {
            await standby.leave()
            throw error
        }
        await standby.leave()
    }

    private init(of primary: FaultBench) throws {
        self.primary = primary
        self.account = try ServerAccount(of: primary)
        // Below the bench's folder: what works there ends with this process at the latest.
        self.folder = "\(primary.bench.folder)/standby"
        try self.account.makeFolder(self.folder)
        try self.account.makeFolder("\(self.folder)/run")
        let server = primary.pool.configuration.connectionString
        let host = String(try #require(server.firstMatch(of: #/host='([^']+)'/#)).1)
        self.servers = server.replacing("host='\(host)'", with: "host='\(host),\(self.folder)/run'")
        let own = server.replacing("host='\(host)'", with: "host='\(self.folder)/run'")
        self.replica = FaultBench(
            bench: primary.bench,
            pool: PostgresPool(
                try PostgresConfiguration("\(own) target_session_attrs='any'"), on: primary.loop, size: 2))
        var bench = primary.bench
        bench.environment["ASSAY_DATABASE_URL"] = self.servers
        self.promoted = FaultBench(
            bench: bench, pool: PostgresPool(try PostgresConfiguration(self.servers), on: primary.loop, size: 3))
    }

    private var data: String { "\(self.folder)/data" }

    /// A backup of the running primary that knows where to go on.
    private func copyPrimary() async throws {
        let rules = try await self.primary.rows("SELECT current_setting('hba_file') AS path").only()
            .decode("path", as: String.self)
        // "all" is all databases, and replication is none.
        let text = try String(contentsOfFile: rules, encoding: .utf8) + "local replication assay peer map=assay\n"
        try text.write(toFile: rules, atomically: false, encoding: .utf8)
        try await self.primary.rows("SELECT pg_reload_conf()")
        var said = ""
        // The server reads its rules when it comes to it.
        let isCopied: Bool? = try await self.primary.soon(within: .seconds(60)) {
            let result = try await self.account.run(
                "pg_basebackup",
                [
                    "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
                    self.primary.pool.configuration.connectionString,
                ], self.primary)
            said = result.standardError.text
            return result.termination.isSuccess ? true : nil
        }
        try #require(isCopied == true, "\(said)")
    }

    /// Starts it with the primary's configuration, but in places of its own.
    private func start() async throws {
        let original = "\(self.primary.bench.home)/postgres/data"
        let options = try String(contentsOfFile: "\(original)/postmaster.opts", encoding: .utf8)
            .trimmingCharacters(in: .newlines).drop { $0 != " " }
        let own = options.replacing("\"\(original)\"", with: "\"\(self.data)\"")
        try await self.control(
            "start", ["-l", "\(self.folder)/server.log", "-o", "\(own) -c unix_socket_directories=\(self.folder)/run"])
        try await self.primary.eventually("the standby follows") {
            try await self.primary.count("pg_stat_replication WHERE state = 'streaming' AND sync_state = 'async'") == 1
        }
    }

    /// Ends its connection to the primary for good: what it has by then is all that it will ever know.
    func cutOff() async throws {
        try await self.replica.rows("ALTER SYSTEM SET primary_conninfo = ''")
        try await self.replica.rows("SELECT pg_reload_conf()")
        try await self.primary.eventually("the standby is cut off") {
            guard try await self.replica.count("pg_stat_wal_receiver") == 0 else { return false }
            return try await self.primary.count("pg_stat_replication") == 0
        }
    }

    func promote() async throws {
        let isPromoted = try await self.replica.rows("SELECT pg_promote(true, 60) AS is_promoted").only()
            .decode("is_promoted", as: Bool.self)
        try #require(isPromoted, "the standby was not promoted within 60 s")
    }

    private func leave() async {
        await self.replica.pool.shutDown()
        await self.promoted.pool.shutDown()
        try? await self.control("stop", ["-m", "immediate"])
    }

    private func control(_ command: String, _ arguments: [String]) async throws {
        let result = try await self.account.run(
            "pg_ctl", [command, "-D", self.data, "-w", "-s"] + arguments, self.primary)
        try #require(result.termination.isSuccess, "\(result.standardError.text)")
    }
}

/// The account that runs a bench's server, and the folder of the programs that it runs.
private struct ServerAccount: Sendable {
    private let identity: ProcessConfiguration.Identity
    private let programs: String
    private var isSwitched: Bool { getuid() != self.identity.userID }

    init(of bench: FaultBench) throws {
        let data = "\(bench.bench.home)/postgres/data"
        let owner = try FileManager.default.attributesOfItem(atPath: data)
        let user = try #require(owner[.ownerAccountID] as? NSNumber)
        let group = try #require(owner[.groupOwnerAccountID] as? NSNumber)
        self.identity = .init(userID: user.uint32Value, groupID: group.uint32Value)
        let options = try String(contentsOfFile: "\(data)/postmaster.opts", encoding: .utf8)
        self.programs = URL(filePath: String(options.prefix { $0 != " " })).deletingLastPathComponent().path()
    }

    /// A folder that only the account may enter.
    func makeFolder(_ path: String) throws {
        try #require(mkdir(path, 0o700) == 0, "\(path): error \(errno)")
        guard self.isSwitched else { return }
        try #require(chown(path, self.identity.userID, self.identity.groupID) == 0, "\(path): error \(errno)")
    }

    func run(_ program: String, _ arguments: [String], _ bench: FaultBench) async throws -> ProcessResult {
        try await bench.loop.run(
            ProcessConfiguration(
                "\(self.programs)\(program)", arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                workingDirectory: "/", standardOutput: .null, standardError: .capture(limit: 4096), hasOwnGroup: true,
                identity: self.isSwitched ? self.identity : nil))
    }
}
