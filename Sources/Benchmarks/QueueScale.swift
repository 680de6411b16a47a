public import AssayRuntime
public import JobQueue
public import PostgresQueue

/// A queue as large as it gets, and how long claims and looks take in it.
public struct QueueScale: Sendable {
    public var shards: Int
    public var jobs: Int
    public var workers: Int
    public var claimers: Int
    /// How long each measurement takes.
    public var duration: Duration

    public static let projects = 20

    public struct Measurement: Sendable, Hashable, Encodable {
        public var name: String
        public var count: Int
        /// Milliseconds.
        public var median: Double
        public var high: Double
        /// What `high`, the 99th percentile, must stay below.
        public var limit: Double

        public var isGood: Bool { self.high < self.limit }

        init(_ name: String, _ sample: LatencySample, limit: Double) {
            self.name = name
            self.count = sample.count
            self.median = (sample.quantile(0.5) ?? 0) * 1000
            self.high = (sample.quantile(0.99) ?? 0) * 1000
            self.limit = limit
        }
    }

    public init(shards: Int, jobs: Int, workers: Int, claimers: Int, duration: Duration) {
        self.shards = shards
        self.jobs = jobs
        self.workers = workers
        self.claimers = claimers
        self.duration = duration
    }

    /// A claim may take so many milliseconds, a look so many.
    private static let claimLimit = 50.0
    private static let lookLimit = 200.0

    /// Fills the queue, and answers a run with as many jobs as all others together, of which one job has failed.
    public func fill(_ scratch: ScratchQueue, report: (String) -> Void) async throws -> RunID {
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
    ///
    /// - Parameters:
    ///   - show: What people are shown of a run is asked by it.
    ///   - report: Told what is measured next.
    public func measure(
        _ scratch: ScratchQueue, large: RunID,
        show: @escaping @Sendable (_ id: String, PostgresJobQueue) async throws -> Void, report: (String) -> Void
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
            measurements.append(Measurement(name, claims, limit: Self.claimLimit))
        }
        guard let some = try await queue.runs(limit: 1, project: "project 0").first?.id else { return measurements }
        let looks: [(String, @Sendable () async throws -> Void)] = [
            ("list", { _ = try await queue.runs(limit: 20, project: nil) }),
            ("show", { try await show(some.text, queue) }),
            ("show of \(self.jobs) jobs", { try await show(large.text, queue) }),
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
            measurements.append(Measurement(name, sample, limit: Self.lookLimit))
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
}
