internal import ArgumentParser
internal import Console
internal import JobQueue

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
