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
            let jobs = (0..<jobsOfRun).map { ordinal in
                JobSubmission(
                    ordinal: ordinal, task: "bench", model: "model \(ordinal % 4)",
                    modelSHA256: String(repeating: "\(ordinal % 4)", count: 64), specification: "{}",
                    sampleCount: shardsOfJob,
                    shards: (0..<shardsOfJob).map { ShardRange(rowStart: $0, rowCount: 1) })
            }
            try await queue.submit(
                RunSubmission(
                    name: "bench", project: "project \(run)", user: "bench", specification: "{}", jobs: jobs))
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return Double(runs * jobsOfRun * shardsOfJob) / seconds
    }
}

/// Claimers that take shards and commit them at once, for a while: the queue's own work and nothing else.
struct QueueDrain: Sendable {
    var claimers: Int
    var batch: Int
    var duration: Duration

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
        let end = start + self.duration
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
        _ queue: PostgresJobQueue, _ claimer: Int, until end: ContinuousClock.Instant
    ) async throws -> Outcome {
        let lease = try await queue.register(
            WorkerDescription(host: "bench", pid: claimer, device: "cpu", engine: "none"), ttl: .seconds(3600))
        var outcome = Outcome()
        let clock = ContinuousClock()
        while clock.now < end {
            let before = clock.now
            let claimed = try await queue.claim(lease, limit: self.batch)
            let between = clock.now
            outcome.claims.add(between - before)
            guard !claimed.isEmpty else {
                outcome.isDrained = true
                break
            }
            let results = claimed.map { shard in
                ShardCommit(
                    shard,
                    ShardPublication(
                        path: "runs/\(shard.run)/\(shard.jobName)/shard-\(shard.index).h5", bytes: 1,
                        sha256: QueueLoad.digest, digest: QueueLoad.digest, samples: 1, tokens: 1, seconds: 0.001))
            }
            guard try await queue.commit(results).allSatisfy({ $0 == .committed }) else {
                throw CommandFailure("a shard was claimed by two at once: the queue is broken")
            }
            outcome.commits.add(clock.now - between)
            outcome.shards += claimed.count
        }
        try await queue.deregister(lease)
        return outcome
    }
}
