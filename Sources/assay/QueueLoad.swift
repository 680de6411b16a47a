internal import AssayRuntime
internal import JobQueue
internal import PostgresQueue

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
                throw UserError("a shard was claimed by two at once: the queue is broken")
            }
            outcome.commits.add(clock.now - between)
            outcome.shards += claimed.count
        }
        try await queue.deregister(lease)
        return outcome
    }
}

/// A day's work of a queue as fast as the server does it: submissions, claims, progress, results, failures, deaths.
struct QueueDay: Sendable {
    var workers: Int
    var shards: Int

    /// Steps of five minutes.
    static let steps = 288
    /// A worker reports every ten seconds; somebody looks for dead ones as often.
    static let beatsPerStep = 30
    /// Runs are archived when they ended so many steps ago: six hours instead of thirty days, to have that in it too.
    static let stepsUntilArchival = 72

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

    /// Lives the day through; `report` is told the hour after each.
    func run(_ scratch: ScratchQueue, report: (Int) -> Void) async throws -> Outcome {
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

/// A queue as large as it gets, and how long claims and looks take in it.
struct QueueScale: Sendable {
    var shards: Int
    var jobs: Int
    var workers: Int
    var claimers: Int
    /// How long each measurement takes.
    var duration: Duration

    static let projects = 20

    struct Measurement: Encodable {
        var name: String
        var count: Int
        /// Milliseconds.
        var median: Double
        var high: Double
        /// What `high`, the 99th percentile, must stay below.
        var limit: Double

        var isGood: Bool { self.high < self.limit }
    }

    /// A claim may take so many milliseconds, a look so many.
    private static let claimLimit = 50.0
    private static let lookLimit = 200.0

    /// Fills the queue, and answers a run with as many jobs as all others together, of which one job has failed.
    func fill(_ scratch: ScratchQueue, report: (String) -> Void) async throws -> RunID {
        let queue = scratch.queue
        report("computing a run of \(self.jobs) jobs")
        let large = RunSubmission(
            name: "large", project: "large", user: "bench", specification: "{}",
            jobs: (0..<self.jobs).map { QueueLoad.job($0, shards: 1) })
        try await queue.submit(large)
        try await self.compute(queue, failing: 1)
        report("submitting \(self.shards) shards")
        _ = try await QueueLoad(shards: self.shards, jobs: self.jobs, projects: Self.projects).fill(queue)
        try await scratch.settle()
        report("registering \(self.workers) workers")
        for number in 0..<self.workers {
            let lease = try await queue.register(
                WorkerDescription(host: "node\(number)", pid: number, device: "cpu", engine: "none", identity: "{}"),
                ttl: .seconds(3600))
            _ = try await queue.claim(lease, limit: 1)
        }
        for _ in 0..<max(2, 2 * self.jobs / 1000) { try await queue.reap() }
        try await scratch.settle()
        return large.id
    }

    /// Works until the queue is empty; so many shards fail for good.
    private func compute(_ queue: PostgresJobQueue, failing: Int) async throws {
        let lease = try await queue.register(
            WorkerDescription(host: "bench", pid: 0, device: "cpu", engine: "none", identity: "{}"), ttl: .seconds(3600)
        )
        var failures = failing
        while true {
            var claimed = try await queue.claim(lease, limit: 100)
            guard !claimed.isEmpty else { break }
            while failures > 0, let shard = claimed.popLast() {
                _ = try await queue.fail(shard, ShardFailure(message: "bench", isPermanent: true, seconds: 0.1))
                failures -= 1
            }
            _ = try await queue.commit(claimed.map(QueueLoad.result))
        }
        try await queue.deregister(lease)
    }

    /// Claims alone, beside all chores, and beside retries of the large run; then what people look at, beside chores.
    func measure(
        _ scratch: ScratchQueue, large: RunID, report: (String) -> Void
    ) async throws -> [Measurement] {
        let queue = scratch.queue
        var measurements: [Measurement] = []
        let besides: [(String, @Sendable () async throws -> Void)] = [
            ("claims alone", { try await Task.sleep(for: .milliseconds(100)) }),
            ("claims beside every chore", { try await Self.doChores(queue) }),
            ("claims beside retries of \(self.jobs) jobs", { try await queue.retry(.run(large), onlyFailed: false) }),
        ]
        for (name, other) in besides {
            report(name)
            let claims = try await self.beside(other) {
                try await QueueDrain(claimers: self.claimers, batch: 1, duration: self.duration).run(queue).claims
            }
            measurements.append(Self.measurement(name, claims, limit: Self.claimLimit))
        }
        guard let some = try await queue.runs(limit: 1, project: "project 0").first?.id else { return measurements }
        let looks: [(String, @Sendable () async throws -> Void)] = [
            ("list", { _ = try await queue.runs(limit: 20, project: nil) }),
            ("show", { _ = try await ShowCommand.ask(some.text, queue) }),
            ("show of \(self.jobs) jobs", { _ = try await ShowCommand.ask(large.text, queue) }),
            ("watch", { _ = try await queue.run(matching: some.text) }),
            ("explain", { _ = try await queue.facts(of: queue.work(matching: some.text)) }),
            ("explain of a job", { _ = try await queue.facts(of: queue.work(matching: "\(some).1")) }),
            ("worker list", { _ = try await queue.workers() }),
            ("project list", { _ = try await queue.projects() }),
        ]
        for (name, look) in looks {
            report(name)
            let sample = try await self.beside({ try await Self.doChores(queue) }) {
                var sample = LatencySample()
                let clock = ContinuousClock()
                let end = clock.now + self.duration
                while clock.now < end {
                    let start = clock.now
                    try await look()
                    sample.add(clock.now - start)
                }
                return sample
            }
            measurements.append(Self.measurement(name, sample, limit: Self.lookLimit))
        }
        return measurements
    }

    /// Runs `body` while something else is done over and over.
    private func beside<Value: Sendable>(
        _ other: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Value
    ) async throws -> Value {
        let task = Task {
            while !Task.isCancelled { try await other() }
        }
        let value: Value
        do {
            value = try await body()
        } catch {
            task.cancel()
            _ = await task.result
            throw error
        }
        task.cancel()
        // What it could not do is a fault of the queue, unless it was only told to stop.
        if case .failure(let error) = await task.result, !Self.isCancellation(error) { throw error }
        return value
    }

    private static func isCancellation(_ error: any Error) -> Bool {
        error is CancellationError || (error as? QueueError)?.code == .cancelled
    }

    private static func doChores(_ queue: PostgresJobQueue) async throws {
        try await queue.reap()
        _ = try await queue.archive(olderThan: .seconds(30 * 86_400), limit: 20)
    }

    private static func measurement(_ name: String, _ sample: LatencySample, limit: Double) -> Measurement {
        Measurement(
            name: name, count: sample.count, median: (sample.quantile(0.5) ?? 0) * 1000,
            high: (sample.quantile(0.99) ?? 0) * 1000, limit: limit)
    }
}

/// Latencies of one operation, in seconds.
struct LatencySample: Sendable {
    private var values: [Double] = []

    mutating func add(_ duration: Duration) { self.values.append(duration / .seconds(1)) }

    mutating func add(_ other: LatencySample) { self.values += other.values }

    var count: Int { self.values.count }

    /// The value that a part of all lie at or below; nil without any.
    func quantile(_ part: Double) -> Double? {
        guard !self.values.isEmpty else { return nil }
        let sorted = self.values.sorted()
        return sorted[min(sorted.count - 1, Int((part * Double(sorted.count)).rounded(.up)) - 1)]
    }
}
