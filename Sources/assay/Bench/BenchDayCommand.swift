internal import ArgumentParser
internal import Console

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

    struct TableSize: Encodable {
        var table: String
        var bytes: Int64
        /// Of the same rows, written anew.
        var liveBytes: Int64
    }

    struct Answer: Encodable {
        var seconds: Double
        var committed: Int
        var failed: Int
        var released: Int
        var abandoned: Int
        var heartbeats: Int
        var archivedRuns: Int
        /// In milliseconds, by quarter of the day.
        var claimMedian: [Double?]
        var claim99: [Double?]
        var tables: [TableSize]
        var bytes: Int64
        var liveBytes: Int64
        var bloat: Double
    }

    static let limit = 2.0

    func validate() throws {
        guard (1...64).contains(self.workers), (1000...10_000_000).contains(self.shards) else {
            throw ValidationError("--workers is 1 to 64, --shards 1000 to 10000000")
        }
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        var progress = ProgressLine(terminal: .standardError(environment: self.options.environment))
        let start = ContinuousClock.now
        let answer = try await Session.withScratchQueue(
            settings, logger: logger, connections: self.workers + 2
        ) { scratch in
            let outcome = try await QueueDay(workers: self.workers, shards: self.shards).run(scratch) { hour in
                progress.show("hour \(hour) of 24", percent: hour * 100 / 24)
            }
            progress.finish()
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let before = try await scratch.sizes()
            try await scratch.execute("VACUUM FULL")
            let after = try await scratch.sizes()
            let tables = before.map { TableSize(table: $0.key, bytes: $0.value, liveBytes: after[$0.key] ?? 0) }
            let (bytes, live) = (before.values.reduce(0, +), after.values.reduce(0, +))
            return Answer(
                seconds: seconds, committed: outcome.committed, failed: outcome.failed, released: outcome.released,
                abandoned: outcome.abandoned, heartbeats: outcome.heartbeats, archivedRuns: outcome.archivedRuns,
                claimMedian: outcome.claims.map { $0.quantile(0.5).map { $0 * 1000 } },
                claim99: outcome.claims.map { $0.quantile(0.99).map { $0 * 1000 } },
                tables: tables.sorted { $0.bytes > $1.bytes }, bytes: bytes, liveBytes: live,
                bloat: Double(bytes) / Double(max(1, live)))
        }
        if self.options.json { try Output.json(answer) } else { self.show(answer) }
        guard answer.bloat <= Self.limit else {
            throw CommandFailure(
                "the tables are \(Format.fixed(answer.bloat, 2)) times as large as their live data",
                hint:
                    "look at autovacuum's settings, and for transactions that stay open (pg_stat_activity.backend_xmin)"
            )
        }
    }

    private func show(_ answer: Answer) {
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
