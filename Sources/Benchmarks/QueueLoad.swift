internal import AssayRuntime
public import JobQueue

/// What the queue is filled with: many jobs of many projects, each with as many shards.
public struct QueueLoad: Sendable {
    public var shards: Int
    public var jobs: Int
    public var projects: Int

    public init(shards: Int, jobs: Int, projects: Int) {
        self.shards = shards
        self.jobs = jobs
        self.projects = projects
    }

    static let digest = String(repeating: "0", count: 64)

    /// Submits everything, a run a project, and answers how many shards a second that was.
    public func fill(_ queue: any RunRegistry) async throws -> Double {
        let runs = self.projects
        let jobsOfRun = max(1, self.jobs / runs)
        let shardsOfJob = max(1, self.shards / (jobsOfRun * runs))
        let start = ContinuousClock.now
        for run in 0..<runs {
            try await queue.submit(
                RunSubmission(
                    name: "bench", project: "project \(run)", user: "bench", specification: "{}",
                    jobs: (0..<jobsOfRun).map { Self.job($0, shards: shardsOfJob) }))
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return Double(runs * jobsOfRun * shardsOfJob) / seconds
    }

    /// A job of one of four models, a sample a shard.
    static func job(_ ordinal: Int, shards: Int) -> JobSubmission {
        JobSubmission(
            ordinal: ordinal, task: "bench", model: "model \(ordinal % 4)",
            modelSHA256: String(repeating: "\(ordinal % 4)", count: 64), specification: "{}", sampleCount: shards,
            shards: (0..<shards).map { ShardRange(rowStart: $0, rowCount: 1) })
    }

    static func result(of shard: ClaimedShard) -> ShardCommit {
        ShardCommit(
            shard,
            ShardPublication(
                path: "runs/\(shard.run)/\(shard.jobName)/"
                    + "\(shard.jobName).shard-\(shard.index).e\(shard.epoch).\(shard.incarnation).h5",
                bytes: 1, sha256: self.digest, digest: self.digest, samples: 1, tokens: 1, seconds: 0.001))
    }
}

/// Claimers that take shards and commit them at once: the queue's own work and nothing else.
struct QueueDrain: Sendable {
    var claimers: Int
    var batch: Int
    /// `nil`: until nothing is left.
    var duration: Duration?

    struct Outcome: Sendable {
        var shards = 0
        var seconds = 0.0
        var claims = LatencySample()
        var commits = LatencySample()
        /// Claims after which the queue was empty.
        var isDrained = false
    }

    func run(_ queue: any WorkQueue) async throws -> Outcome {
        let start = ContinuousClock.now
        let end = self.duration.map { start + $0 }
        var outcome = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for claimer in 0..<self.claimers {
                group.addTask { try await self.work(queue, claimer, until: end) }
            }
            return try await group.reduce(into: Outcome()) { sum, part in
                sum.shards += part.shards
                sum.claims.add(part.claims)
                sum.commits.add(part.commits)
                sum.isDrained = sum.isDrained || part.isDrained
            }
        }
        outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
        return outcome
    }

    private func work(
        _ queue: any WorkQueue, _ claimer: Int, until end: ContinuousClock.Instant?
    ) async throws -> Outcome {
        let lease = try await queue.register(
            WorkerDescription(host: "bench", pid: claimer, device: "cpu", engine: "none", identity: "{}"),
            ttl: .seconds(3600))
        var outcome = Outcome()
        let clock = ContinuousClock()
        while end.map({ clock.now < $0 }) ?? true {
            let before = clock.now
            let claimed = try await queue.claim(lease, limit: self.batch)
            let between = clock.now
            outcome.claims.add(between - before)
            guard !claimed.isEmpty else {
                outcome.isDrained = true
                break
            }
            guard try await queue.commit(claimed.map(QueueLoad.result)).allSatisfy({ $0 == .committed }) else {
                throw UserError("a shard was claimed by two at once: the queue is broken")
            }
            outcome.commits.add(clock.now - between)
            outcome.shards += claimed.count
        }
        try await queue.deregister(lease)
        return outcome
    }
}

/// How fast a queue is filled and drained, by batch and claimers.
public struct QueueThroughput: Sendable {
    public var load: QueueLoad
    public var claimers: [Int]
    public var batches: [Int]
    /// How often each combination is measured.
    public var rounds: Int
    /// How long each time; `nil`: until the queue is empty.
    public var duration: Duration?

    /// A combination's medians over all rounds; latencies are in seconds.
    public struct Row: Sendable, Hashable, Encodable {
        public var shards: Int
        public var enqueuedPerSecond: Double
        public var claimers: Int
        public var batch: Int
        public var drainedPerSecond: Double
        public var claimMedian: Double
        public var claim99: Double
        public var commitMedian: Double
        public var commit99: Double
        public var claims: Int
    }

    public init(load: QueueLoad, claimers: [Int], batches: [Int], rounds: Int, duration: Duration?) {
        self.load = load
        self.claimers = claimers
        self.batches = batches
        self.rounds = rounds
        self.duration = duration
    }

    /// Fills an empty queue and measures every combination in turns; what is due in the queue is done meanwhile.
    ///
    /// - Parameter settle: Called after each filling.
    /// - Returns: A row for each combination; all batches of the first number of claimers come first.
    public func measure(
        _ queue: any WorkQueue & RunRegistry, settle: () async throws -> Void
    ) async throws -> [Row] {
        let enqueued = try await self.load.fill(queue)
        try await settle()
        let maintainer = Task {
            while !Task.isCancelled {
                // As workers do: what is due, and not the statistics of all tables each second.
                for chore in (try? await queue.dueChores()) ?? [] {
                    _ = try? await queue.run(chore, isForced: false)
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
        defer { maintainer.cancel() }
        let combinations = self.claimers.flatMap { claimers in self.batches.map { (claimers: claimers, batch: $0) } }
        let least = self.duration == nil ? self.load.shards : max(1, self.load.shards / 4)
        let outcomes = try await inTurns(combinations, rounds: self.rounds) { combination, _ in
            if try await queue.openShardCount(run: nil) < least {
                _ = try await self.load.fill(queue)
                try await settle()
            }
            let drain = QueueDrain(
                claimers: combination.claimers, batch: combination.batch, duration: self.duration)
            return try await drain.run(queue)
        }
        maintainer.cancel()
        await maintainer.value
        return zip(combinations, outcomes).map { combination, outcomes in
            var claims = LatencySample()
            var commits = LatencySample()
            for outcome in outcomes {
                claims.add(outcome.claims)
                commits.add(outcome.commits)
            }
            return Row(
                shards: self.load.shards, enqueuedPerSecond: enqueued, claimers: combination.claimers,
                batch: combination.batch, drainedPerSecond: Self.median(of: outcomes),
                claimMedian: claims.quantile(0.5) ?? 0, claim99: claims.quantile(0.99) ?? 0,
                commitMedian: commits.quantile(0.5) ?? 0, commit99: commits.quantile(0.99) ?? 0, claims: claims.count)
        }
    }

    /// Of shards a second; of an even number of rounds the better one in the middle.
    static func median(of outcomes: [QueueDrain.Outcome]) -> Double {
        let rates = outcomes.map { Double($0.shards) / $0.seconds }.sorted()
        return rates.isEmpty ? 0 : rates[rates.count / 2]
    }
}
