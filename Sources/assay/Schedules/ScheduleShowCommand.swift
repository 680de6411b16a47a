internal import ArgumentParser
internal import Console
internal import JobQueue

struct ScheduleShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a schedule, its jobs and the next five due times.",
        discussion: "Example:  assay schedule show nightly")

    @Argument(help: "The schedule's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let view = try await Session.with(self.options) { session in
            try await ScheduleView(try await session.queue.schedule(named: self.name), in: session.queue)
        }
        if self.options.json { return try Output.json(view) }
        view.show(on: .standardOutput(environment: self.options.environment))
    }
}
