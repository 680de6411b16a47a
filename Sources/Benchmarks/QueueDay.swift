public import AssayRuntime
internal import JobQueue
internal import PostgresQueue

/// A day's work of a queue as fast as the server does it: submissions, claims, progress, results, failures, deaths.
public struct QueueDay: Sendable {
    public var workers: Int
    public var shards: Int

    public init(workers: Int, shards: Int) {
        self.workers = workers
        self.shards = shards
    }

    /// Steps of five minutes.
    static let steps = 288
    /// A worker reports every ten seconds; somebody looks for dead ones as often.
    static let beatsPerStep = 30
    /// Runs are archived when they ended so many steps ago: six hours instead of thirty days, to have that in it too.
    static let stepsUntilArchival = 72

    /// What a day did to the queue.
    public struct Report: Sendable, Hashable, Encodable {
        public struct Table: Sendable, Hashable, Encodable {
            public var table: String
            public var bytes: Int64
            /// Of the same rows, written again.
            public var liveBytes: Int64
        }

        public var seconds: Double
        public var committed: Int
        public var failed: Int
        public var released: Int
        public var abandoned: Int
        public var heartbeats: Int
        public var archivedRuns: Int
        /// In milliseconds, by quarter of the day.
        public var claimMedian: [Double?]
        public var claim99: [Double?]
        /// The largest first.
        public var tables: [Table]
        public var bytes: Int64
        public var liveBytes: Int64
        /// How many times as large as their live data the tables are.
        public var bloat: Double

        /// What `bloat` must not exceed.
        public static let limit = 2.0

        public var isGood: Bool { self.bloat <= Self.limit }

        init(_ outcome: Outcome, seconds: Double, tables: [String: Int64], live: [String: Int64]) {
            self.seconds = seconds
            self.committed = outcome.committed
            self.failed = outcome.failed
            self.released = outcome.released
            self.abandoned = outcome.abandoned
            self.heartbeats = outcome.heartbeats
            self.archivedRuns = outcome.archivedRuns
            self.claimMedian = outcome.claims.map { $0.quantile(0.5).map { $0 * 1000 } }
            self.claim99 = outcome.claims.map { $0.quantile(0.99).map { $0 * 1000 } }
            self.tables = tables.map { Table(table: $0.key, bytes: $0.value, liveBytes: live[$0.key] ?? 0) }
                .sorted { $0.bytes > $1.bytes }
            self.bytes = tables.values.reduce(0, +)
            self.liveBytes = live.values.reduce(0, +)
            self.bloat = Double(self.bytes) / Double(max(1, self.liveBytes))
        }
    }

    struct Outcome: Sendable {
        var committed = 0
        var failed = 0
        var released = 0
        var abandoned = 0
        var heartbeats = 0
        var archivedRuns = 0
        /// Claims in each quarter of the day.
        var claims = [LatencySample](repeating: LatencySample(), count: 4)

        mutating func add(_ other: Outcome) {
            self.committed += other.committed
            self.failed += other.failed
            self.released += other.released
            self.abandoned += other.abandoned
            self.heartbeats += other.heartbeats
            self.archivedRuns += other.archivedRuns
            for quarter in self.claims.indices { self.claims[quarter].add(other.claims[quarter]) }
        }
    }

    /// Lives the day through, and compares the tables with the live data in them; `report` is told the hour after each.
    public func measure(_ scratch: ScratchQueue, report: (_ hour: Int) -> Void) async throws -> Report {
        let start = ContinuousClock.now
        let outcome = try await self.run(scratch, report: report)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let before = try await scratch.sizes()
        try await scratch.execute("VACUUM FULL")
        return Report(outcome, seconds: seconds, tables: before, live: try await scratch.sizes())
    }

    private func run(_ scratch: ScratchQueue, report: (Int) -> Void) async throws -> Outcome {
        let queue = scratch.queue
        var leases: [WorkerLease] = []
        for number in 0..<self.workers { leases.append(try await Self.register(queue, number, ttl: .seconds(3600))) }
        let clock = ContinuousClock()
        let start = clock.now
        var sum = Outcome()
        for step in 0..<Self.steps {
            try await self.submit(queue, step)
            let part = try await withThrowingTaskGroup(of: Outcome.self) { group in
                for lease in leases {
                    group.addTask { try await self.work(queue, lease, step) }
                }
                group.addTask {
                    for _ in 0..<Self.beatsPerStep { try await queue.reap() }
                    return Outcome()
                }
                return try await group.reduce(into: Outcome()) { $0.add($1) }
            }
            sum.add(part)
            let stepTime = (clock.now - start) / (step + 1)
            sum.archivedRuns += try await queue.archive(olderThan: stepTime * Self.stepsUntilArchival, limit: 100)
            try await scratch.vacuumWhatAutovacuumWould()
            if (step + 1) % 12 == 0 { report((step + 1) / 12) }
        }
        for lease in leases { try await queue.deregister(lease) }
        return sum
    }

    private func submit(_ queue: PostgresJobQueue, _ step: Int) async throws {
        let jobs = 5
        let shards = max(1, self.shards / Self.steps / jobs)
        try await queue.submit(
            RunSubmission(
                name: "day", project: "project \(step % 20)", user: "bench",
                priority: step % 7 == 0 ? .high : .normal, specification: "{}",
                jobs: (0..<jobs).map { QueueLoad.job($0, shards: shards) }))
    }

    /// A worker's five minutes: its part of the shards, and reports all the while.
    private func work(_ queue: PostgresJobQueue, _ lease: WorkerLease, _ step: Int) async throws -> Outcome {
        var outcome = Outcome()
        let quarter = step * 4 / Self.steps
        var left = self.shards / Self.steps / self.workers + 1
        for beat in 0..<Self.beatsPerStep {
            var held: [ClaimedShard] = []
            if left > 0 {
                let beats = Self.beatsPerStep - beat
                let before = ContinuousClock.now
                held = try await queue.claim(lease, limit: (left + beats - 1) / beats)
                outcome.claims[quarter].add(ContinuousClock.now - before)
                left -= held.count
            }
            _ = try await queue.heartbeat(lease, holding: held.map { $0.progress(samples: 1, tokens: 50) })
            outcome.heartbeats += 1
            try await self.finish(held, queue, &outcome)
        }
        return outcome
    }

    /// Of a hundred shards three fail, two are given back, and one is lost with its worker.
    private func finish(_ held: [ClaimedShard], _ queue: PostgresJobQueue, _ outcome: inout Outcome) async throws {
        var results: [ShardCommit] = []
        for shard in held {
            switch Int.random(in: 0..<100) {
            case 0..<3:
                _ = try await queue.fail(shard, ShardFailure(message: "bench", isPermanent: false, seconds: 0.1))
                outcome.failed += 1
            case 3..<5:
                try await queue.release([shard])
                outcome.released += 1
            case 5:
                try await queue.release([shard])
                let doomed = try await Self.register(queue, 0, ttl: .seconds(1))
                outcome.abandoned += try await queue.claim(doomed, limit: 1).count
            default: results.append(QueueLoad.result(of: shard))
            }
        }
        guard !results.isEmpty else { return }
        guard try await queue.commit(results).allSatisfy({ $0 == .committed }) else {
            throw UserError("a shard was claimed by two at once: the queue is broken")
        }
        outcome.committed += results.count
    }

    private static func register(
        _ queue: PostgresJobQueue, _ number: Int, ttl: Duration
    ) async throws -> WorkerLease {
        try await queue.register(
            WorkerDescription(host: "bench", pid: number, device: "cpu", engine: "none", identity: "{}"), ttl: ttl)
    }
}
