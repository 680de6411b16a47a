internal import ArgumentParser
internal import Console
internal import JobQueue

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
            return try await scale.measure(scratch, large: large, report: report)
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
            throw CommandFailure(
                "too slow: \(slow.joined(separator: ", "))",
                hint: "look at what else the machine does; pg_stat_activity shows what the server waits for")
        }
    }
}
