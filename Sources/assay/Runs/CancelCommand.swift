internal import ArgumentParser
internal import Console
internal import JobQueue

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel what a run has not finished; what is published stays.",
        discussion: "Example:  assay cancel k3f9")

    @Argument(help: "A run; a unique beginning will do.")
    var id: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let run = try await Session.with(self.options) { session in
            let run = try await session.queue.run(matching: self.id)
            return try await session.queue.cancel(run.id)
        }
        if self.options.json { return try Output.json(run) }
        Output.line("run \(run.id) is \(run.state.rawValue): \(run.progress.samplesDone) samples are done")
    }
}
