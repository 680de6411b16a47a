internal import ArgumentParser
internal import Console
internal import JobQueue

struct SchedulePauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let due times pass until the schedule is resumed; its history records each one as skipped.",
        discussion: "Open runs go on. Example:  assay schedule pause nightly --reason 'cluster maintenance'")

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "Why; shown wherever somebody may wonder.")
    var reason: String?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let schedule = try await Session.with(self.options) { session in
            try await session.queue.pauseSchedule(named: self.name, user: session.userName, reason: self.reason)
        }
        if self.options.json { return try Output.json(schedule) }
        let pause = schedule.pause.map { " since \(Format.time($0.at)) by \($0.user)" } ?? ""
        Output.line("\(schedule.name) is paused\(pause)")
    }
}
