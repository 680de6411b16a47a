internal import ArgumentParser
internal import AssayRuntime
internal import Benchmarks
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

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
        var rows: [QueueThroughput.Row] = []
        for shards in self.shards {
            let benchmark = QueueThroughput(
                load: QueueLoad(shards: shards, jobs: self.jobs, projects: self.projects), claimers: self.claimers,
                batches: self.batch, rounds: self.rounds, duration: self.drain ? nil : .seconds(self.seconds))
            rows += try await Session.withScratchQueue(
                settings, logger: logger, connections: (self.claimers.max() ?? 1) + 2
            ) { scratch in
                if !self.options.json { Output.note("\(shards) shards; server: \(try await scratch.durability())") }
                return try await benchmark.measure(scratch.queue) { try await scratch.settle() }
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
}

struct BenchDayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "day",
        abstract: "Live a day of the queue in minutes, and compare its tables with the live data in them.",
        discussion: """
            Works in a schema of its own on the configured server and drops it. Everything that a day has is in it: reports
            every ten seconds, claims, results, failures, dead workers, archival. Autovacuum looks every minute, which here
            are hours: every five simulated minutes the tables are vacuumed that it would vacuum by its own rules. Fails
            when the tables are more than twice as large as they would be without dead rows.
            Example:  assay bench day --shards 200000
            """)

    @Option(help: "Workers.")
    var workers = 8

    @Option(help: "Shards that are done in the day.")
    var shards = 100_000

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard (1...64).contains(self.workers), (1000...10_000_000).contains(self.shards) else {
            throw ValidationError("--workers is 1 to 64, --shards 1000 to 10000000")
        }
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        var progress = ProgressLine(terminal: .standardError(environment: self.options.environment))
        let answer = try await Session.withScratchQueue(
            settings, logger: logger, connections: self.workers + 2
        ) { scratch in
            defer { progress.finish() }
            return try await QueueDay(workers: self.workers, shards: self.shards).measure(scratch) { hour in
                progress.show("hour \(hour) of 24", percent: hour * 100 / 24)
            }
        }
        if self.options.json { try Output.json(answer) } else { self.show(answer) }
        guard answer.isGood else {
            throw UserError(
                "the tables are \(Format.fixed(answer.bloat, 2)) times as large as their live data",
                hint:
                    "look at autovacuum's settings, and for transactions that stay open (pg_stat_activity.backend_xmin)"
            )
        }
    }

    private func show(_ answer: QueueDay.Report) {
        Output.line(
            "24 hours in \(RateMeter.describe(seconds: answer.seconds)): \(answer.committed) shards done, "
                + "\(answer.failed) failures, \(answer.released) given back, \(answer.abandoned) lost with their worker, "
                + "\(answer.heartbeats) reports, \(answer.archivedRuns) runs archived")
        let quarters = zip(answer.claimMedian, answer.claim99).map { median, high in
            "\(Format.fixed(median ?? 0, 2))/\(Format.fixed(high ?? 0, 2))"
        }
        Output.line("claim p50/p99 in ms by quarter of the day: \(quarters.joined(separator: ", "))")
        var table = Table("table", ">kB", ">live kB", ">ratio")
        for size in answer.tables where size.bytes > 100_000 {
            table.add(
                size.table, "\(size.bytes / 1024)", "\(size.liveBytes / 1024)",
                Format.fixed(Double(size.bytes) / Double(max(1, size.liveBytes)), 2))
        }
        table.add(
            "all", "\(answer.bytes / 1024)", "\(answer.liveBytes / 1024)", Format.fixed(answer.bloat, 2))
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}

struct BenchScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measure claims and what people look at in a queue as large as it gets.",
        discussion: """
            Claims alone, beside every chore, and beside retries of a run with all the jobs; list, show, watch and explain
            beside every chore. Works in a schema of its own on the configured server and drops it. Fails when the 99th
            percentile of a claim is not below 50 ms, or of a look not below 200 ms.
            Example:  assay bench scale --shards 1000000 --jobs 10000 --workers 1000
            """)

    @Option(help: "Ready shards.")
    var shards = 1_000_000

    @Option(help: "Jobs that they belong to; another run has as many.")
    var jobs = 10_000

    @Option(help: "Registered workers, each with a running shard.")
    var workers = 1000

    @Option(help: "Claimers at once.")
    var claimers = 2

    @Option(help: "How long each measurement takes.")
    var seconds = 5.0

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard
            [self.shards, self.jobs, self.workers].allSatisfy({ $0 > 0 }), self.jobs >= QueueScale.projects,
            (1...64).contains(self.claimers), self.seconds > 0, self.seconds <= 600
        else {
            throw ValidationError(
                "every number is more than 0; --jobs is \(QueueScale.projects) at least, --claimers 64 and --seconds 600 at most"
            )
        }
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        let scale = QueueScale(
            shards: self.shards, jobs: self.jobs, workers: self.workers, claimers: self.claimers,
            duration: .seconds(self.seconds))
        let isQuiet = self.options.json
        let report = { (text: String) in
            if !isQuiet { Output.note("\(text)") }
        }
        let measurements = try await Session.withScratchQueue(
            settings, logger: logger, connections: self.claimers + 4
        ) { scratch in
            let large = try await scale.fill(scratch, report: report)
            return try await scale.measure(
                scratch, large: large, show: { _ = try await ShowCommand.ask($0, $1) }, report: report)
        }
        if self.options.json {
            try Output.json(measurements)
        } else {
            var table = Table("what", ">times", ">p50 ms", ">p99 ms", ">limit ms")
            for measurement in measurements {
                table.add(
                    measurement.name, "\(measurement.count)", Format.fixed(measurement.median, 1),
                    Format.fixed(measurement.high, 1), Format.fixed(measurement.limit, 0))
            }
            Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
        }
        let slow = measurements.filter { !$0.isGood }.map(\.name)
        guard slow.isEmpty else {
            throw UserError(
                "too slow: \(slow.joined(separator: ", "))",
                hint: "look at what else the machine does; pg_stat_activity shows what the server waits for")
        }
    }
}
