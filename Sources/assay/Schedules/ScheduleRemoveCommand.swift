internal import ArgumentParser
internal import Console
internal import JobQueue

struct ScheduleRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Never fire a schedule again and forget its name; its runs stay and go on.",
        discussion: "Example:  assay schedule remove nightly")

    @Argument(help: "The schedule's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var removed: String
    }

    func run() async throws {
        try await Session.with(self.options) { try await $0.queue.removeSchedule(named: self.name) }
        if self.options.json { return try Output.json(Answer(removed: self.name)) }
        Output.line("\(self.name) was removed")
    }
}
