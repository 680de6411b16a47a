internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a run or job is where it is, and what would change that.",
        discussion: "Example:  assay explain k3f9.1")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var explanation: Explanation
        var facts: JobFacts
        /// Seconds until it is done, with the workers there are.
        var expectedSeconds: Double?
    }

    func run() async throws {
        let answers = try await Session.with(self.options) { session in
            try await session.queue.facts(of: session.queue.work(matching: self.id)).map { facts in
                Answer(
                    explanation: Explanation(facts), facts: facts,
                    expectedSeconds: facts.expectedDuration.map { $0 / .seconds(1) })
            }
        }
        if self.options.json { return try Output.json(answers) }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        for (place, answer) in answers.enumerated() {
            if place > 0 { Output.line() }
            self.show(answer, on: terminal)
        }
    }

    private func show(_ answer: Answer, on terminal: Terminal) {
        Output.line(terminal.styled(answer.explanation.summary, .bold))
        for reason in answer.explanation.reasons { Output.line("  - \(reason)") }
        if let seconds = answer.expectedSeconds {
            Output.line(
                "  - At the usual pace it takes about \(RateMeter.describe(seconds: seconds)) from its start on.")
        }
        guard !answer.explanation.remedies.isEmpty else { return }
        Output.line(terminal.styled("  what helps", .dim))
        for remedy in answer.explanation.remedies { Output.line("    \(remedy)") }
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "List every attempt at a run's or job's shards: worker, device, seconds, outcome, error.",
        discussion: "Example:  assay logs k3f9.1 --failed")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Only attempts that ended without a result.")
    var failed = false

    @Option(help: "Only this shard's.")
    var shard: Int?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let attempts = try await Session.with(self.options) { session in
            var attempts: [AttemptRecord] = []
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                attempts += try await session.queue.attempts(of: job.id).filter { attempt in
                    let isWanted = !self.failed || (attempt.outcome != .done && attempt.outcome != .running)
                    return isWanted && self.shard.map { $0 == attempt.key.index } ?? true
                }
            }
            return attempts
        }
        if self.options.json { return try Output.json(attempts) }
        guard !attempts.isEmpty else { return Output.note("no attempts") }
        var table = Table("shard", ">epoch", "outcome", "started", ">seconds", ">worker", "host", "device", "error")
        for attempt in attempts {
            table.add(
                "\(attempt.key)", "\(attempt.epoch)", attempt.outcome.rawValue, Format.time(attempt.startedAt),
                attempt.seconds.map { Format.fixed($0, 2) } ?? "", "\(attempt.worker)", attempt.host, attempt.device,
                attempt.error?.split(whereSeparator: \.isNewline).first.map(String.init) ?? "")
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
