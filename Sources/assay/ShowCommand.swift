internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run's jobs, or a job's shards and failed attempts.",
        discussion: "Example:  assay show k3f9, or assay show k3f9.1")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var run: RunRecord
        var jobs: [JobRecord]
        var shards: [ShardRecord]?
        /// All of a job; of a run the latest that went wrong.
        var attempts: [AttemptRecord]
        /// Nil when nothing is left to do.
        var outlook: RunOutlook?
        /// Seconds until the run has ended, at the usual pace and with the workers there are; nil where nobody can say.
        var expectedSeconds: Double?

        init(
            run: RunRecord, jobs: [JobRecord], shards: [ShardRecord]?, attempts: [AttemptRecord], outlook: RunOutlook
        ) {
            self.run = run
            self.jobs = jobs
            self.shards = shards
            self.attempts = attempts
            self.outlook = outlook.openShards > 0 ? outlook : nil
            self.expectedSeconds = self.outlook?.expectedDuration.map { $0 / .seconds(1) }
        }
    }

    private static let troublesShown = 20

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            try await Self.ask(self.id, session.queue)
        }
        if self.options.json { return try Output.json(answer) }
        self.show(answer, on: .standardOutput(environment: self.options.environment))
    }

    static func ask(_ id: String, _ queue: PostgresJobQueue) async throws -> Answer {
        guard id.contains(".") else {
            // A whole id need not be looked for before the rest is asked.
            if let whole = try? RunID(id) {
                return try await Self.ask(whole, queue) { try await queue.run(matching: id) }
            }
            let run = try await queue.run(matching: id)
            return try await Self.ask(run.id, queue) { run }
        }
        let job = try await queue.job(matching: id)
        async let run = queue.run(matching: job.id.run.text)
        async let shards = queue.shards(of: job.id)
        async let attempts = queue.attempts(of: job.id)
        async let outlook = queue.outlook(of: job.id.run)
        return try await Answer(run: run, jobs: [job], shards: shards, attempts: attempts, outlook: outlook)
    }

    /// Asks for the parts at once: for a run of ten thousand jobs each of them takes the server a while.
    private static func ask(
        _ id: RunID, _ queue: PostgresJobQueue, record: @Sendable () async throws -> RunRecord
    ) async throws -> Answer {
        async let run = record()
        async let jobs = queue.jobs(of: id)
        async let troubles = queue.troubles(of: id, limit: Self.troublesShown)
        async let outlook = queue.outlook(of: id)
        return try await Answer(run: run, jobs: jobs, shards: nil, attempts: troubles, outlook: outlook)
    }

    private func show(_ answer: Answer, on terminal: Terminal) {
        let run = answer.run
        Output.line(
            "\(terminal.styled("\(run.id)", .bold))  \(run.name), project \(run.project), \(run.state.rawValue), "
                + "submitted \(Format.time(run.submittedAt)) by \(run.user)")
        Output.line()
        var jobs = Table("job", "task", "model", "state", ">samples", ">done", ">shards", ">failed")
        for job in answer.jobs {
            let progress = job.progress
            jobs.add(
                job.id.name, job.task, job.model, job.state.rawValue, "\(progress.samples)",
                "\(progress.samplesDone)", "\(progress.shards.done)/\(progress.shards.total)",
                "\(progress.shards.failed + progress.shards.held)")
        }
        Output.line(jobs.rendered(on: terminal))
        if answer.shards != nil, let job = answer.jobs.first, let engine = Self.engine(of: job) { Output.line(engine) }
        if let outlook = answer.outlook { Output.line(self.describe(outlook)) }
        if let shards = answer.shards {
            var table = Table("shard", ">rows", "state", ">epoch", ">failures", "reason")
            for shard in shards {
                table.add(
                    "\(shard.key.index)", "\(shard.range.rowStart)-\(shard.range.rowStart + shard.range.rowCount - 1)",
                    shard.state.rawValue, "\(shard.epoch)", "\(shard.failures)", shard.reason ?? "")
            }
            Output.line()
            Output.line(table.rendered(on: terminal))
        }
        let troubled = answer.attempts.filter { $0.error != nil }
        guard !troubled.isEmpty else { return }
        Output.line()
        Output.line(terminal.styled("attempts that went wrong", .bold))
        for attempt in troubled.suffix(Self.troublesShown) {
            Output.line(
                "  shard \(attempt.key), attempt \(attempt.epoch), \(attempt.outcome.rawValue) on \(attempt.host) "
                    + "(\(attempt.device)), \(Format.time(attempt.startedAt)): \(attempt.error ?? "")")
        }
    }

    /// What a job's results come from; nil where it has none yet, or none that tells.
    private static func engine(of job: JobRecord) -> PrintedText? {
        if job.isMixed { return "Its results may come from several engines." }
        return job.engine.map { "Its results come from one engine: \(EngineName(json: $0)?.description ?? $0)." }
    }

    private func describe(_ outlook: RunOutlook) -> PrintedText {
        guard let expected = outlook.expectedDuration else {
            guard outlook.workersSuitable == 0 else {
                return "How long the rest takes can be said when something like it has been done once."
            }
            let time = outlook.samplesOfUnknownPace == 0 ? RateMeter.describe(seconds: outlook.deviceSecondsLeft) : nil
            return "No worker can take what is left\(time.map { ", about \($0) of work" } ?? ""); "
                + "`assay explain \(self.id)` says why."
        }
        let pace = outlook.tokensPerSecond.map { ", at \(Format.fixed($0, 0)) tokens a second each" } ?? ""
        return "The rest takes about \(RateMeter.describe(seconds: expected / .seconds(1))) with "
            + "\(Format.counted(outlook.workers, "worker"))\(pace)."
    }
}
