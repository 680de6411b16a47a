internal import ArgumentParser
internal import Console
internal import FoundationEssentials
internal import JobQueue

struct ScheduleResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Fire a paused schedule again, from its next due time on.",
        discussion: "Nothing of the pause is caught up; `backfill` does that. Example:  assay schedule resume nightly")

    @Argument(help: "The schedule's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let schedule = try await Session.with(self.options) { session in
            try await session.queue.resumeSchedule(named: self.name)
        }
        if self.options.json { return try Output.json(schedule) }
        let next = schedule.nextAt.map { "due next \(Format.time($0))" } ?? "never due again"
        Output.line("\(schedule.name) is not paused, \(next)")
    }
}
