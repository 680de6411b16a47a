internal import ArgumentParser
internal import Console
internal import JobQueue

struct BenchQueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Measure the queue: enqueue, claim and durable commit, by batch, claimers and backlog.",
        discussion: """
            Works in a schema of its own on the configured server and drops it. Commits are durable as the server is set; a
            maintainer rolls counters up every second meanwhile, as workers do.
            Example:  assay bench queue --shards 10000 --shards 1000000 --seconds 3
            """)

    @Option(help: "Ready shards to start from; may be repeated.")
    var shards: [Int] = [10_000, 100_000, 1_000_000]

    @Option(help: "Jobs that the shards belong to.")
    var jobs = 1000

    @Option(help: "Projects that the jobs belong to.")
    var projects = 20

    @Option(help: "Shards a claim takes; may be repeated.")
    var batch: [Int] = [1, 10, 100]

    @Option(help: "Claimers at once; may be repeated.")
    var claimers: [Int] = [1, 8]

    @Option(help: "How long each combination is measured, in each round.")
    var seconds = 2.0

    @Flag(help: "Measure each combination until the queue is empty instead, however long that takes.")
    var drain = false

    @Option(help: "Rounds over all combinations; medians are printed.")
    var rounds = 3

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var shards: Int
        var enqueuedPerSecond: Double
        var claimers: Int
        var batch: Int
        var drainedPerSecond: Double
        var claimMedian: Double
        var claim99: Double
        var commitMedian: Double
        var commit99: Double
        var claims: Int
    }

    func validate() throws {
        guard
            (self.shards + self.batch + self.claimers + [self.jobs, self.projects, self.rounds]).allSatisfy({ $0 > 0 }),
            self.claimers.allSatisfy({ $0 <= 64 }), self.seconds > 0, self.seconds <= 600
        else {
            throw ValidationError("every number is more than 0; --claimers is 64 at most, --seconds 600")
        }
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        var rows: [Row] = []
        for shards in self.shards {
            rows += try await Session.withScratchQueue(
                settings, logger: logger, connections: (self.claimers.max() ?? 1) + 2
            ) { scratch in
                if !self.options.json { Output.note("\(shards) shards; server: \(try await scratch.durability())") }
                return try await self.measure(
                    QueueLoad(shards: shards, jobs: self.jobs, projects: self.projects), scratch)
            }
        }
        if self.options.json { return try Output.json(rows) }
        var table = Table(
            ">ready", ">enqueued/s", ">claimers", ">batch", ">shards/s", ">claim p50 ms", ">p99", ">commit p50 ms",
            ">p99", ">claims")
        for row in rows {
            let milliseconds = [row.claimMedian, row.claim99, row.commitMedian, row.commit99].map {
                Format.fixed($0 * 1000, 2)
            }
            table.add(
                "\(row.shards)", Format.fixed(row.enqueuedPerSecond, 0), "\(row.claimers)", "\(row.batch)",
                Format.fixed(row.drainedPerSecond, 0), milliseconds[0], milliseconds[1], milliseconds[2],
                milliseconds[3], "\(row.claims)")
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }

    /// Rounds over all combinations, so that what disturbs the machine disturbs all of them.
    private func measure(_ load: QueueLoad, _ scratch: ScratchQueue) async throws -> [Row] {
        let enqueued = try await load.fill(scratch.queue)
        try await scratch.settle()
        let maintainer = Task {
            while !Task.isCancelled {
                // As workers do: what is due, and not the statistics of all tables each second.
                for chore in (try? await scratch.queue.dueChores()) ?? [] {
                    _ = try? await scratch.queue.run(chore, isForced: false)
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
        defer { maintainer.cancel() }
        let combinations = self.claimers.flatMap { claimers in self.batch.map { (claimers, $0) } }
        var outcomes = combinations.map { _ in [QueueDrain.Outcome]() }
        for _ in 0..<self.rounds {
            for (place, (claimers, batch)) in combinations.enumerated() {
                let least = self.drain ? load.shards : max(1, load.shards / 4)
                if try await scratch.queue.openShardCount(run: nil) < least {
                    _ = try await load.fill(scratch.queue)
                    try await scratch.settle()
                }
                let drain = QueueDrain(
                    claimers: claimers, batch: batch, duration: self.drain ? nil : .seconds(self.seconds))
                outcomes[place].append(try await drain.run(scratch.queue))
            }
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
            let rates = outcomes.map { Double($0.shards) / $0.seconds }.sorted()
            return Row(
                shards: load.shards, enqueuedPerSecond: enqueued, claimers: combination.0, batch: combination.1,
                drainedPerSecond: rates[rates.count / 2], claimMedian: claims.quantile(0.5) ?? 0,
                claim99: claims.quantile(0.99) ?? 0, commitMedian: commits.quantile(0.5) ?? 0,
                commit99: commits.quantile(0.99) ?? 0, claims: claims.count)
        }
    }
}
