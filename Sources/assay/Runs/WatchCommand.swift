internal import ArgumentParser
internal import Console
internal import JobQueue

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow a run with rate and time left, until it has ended.",
        discussion: "Leaving with Ctrl-C does not touch the run. Example:  assay watch k3f9")

    @Argument(help: "A run, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let run = try await Session.with(self.options) { session in
            let run = try await session.queue.run(matching: self.id)
            return try await RunWatcher(session: session, environment: self.options.environment).follow(run.id)
        }
        if self.options.json {
            try Output.json(run)
        } else {
            Output.line("run \(run.id) is \(run.state.rawValue): \(run.progress.samplesDone) samples")
        }
        try RunWatcher.check(run)
    }
}
