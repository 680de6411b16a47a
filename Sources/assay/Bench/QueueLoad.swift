internal import Console
internal import JobQueue

/// What the queue is filled with: many jobs of many projects, each with as many shards.
struct QueueLoad: Sendable {
    var shards: Int
    var jobs: Int
    var projects: Int

    static let digest = String(repeating: "0", count: 64)

    /// Submits everything, a run a project, and answers how many shards a second that was.
    func fill(_ queue: PostgresJobQueue) async throws -> Double {
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

    func run(_ queue: PostgresJobQueue) async throws -> Outcome {
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
        _ queue: PostgresJobQueue, _ claimer: Int, until end: ContinuousClock.Instant?
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
                throw CommandFailure("a shard was claimed by two at once: the queue is broken")
            }
            outcome.commits.add(clock.now - between)
            outcome.shards += claimed.count
        }
        try await queue.deregister(lease)
        return outcome
    }
}
