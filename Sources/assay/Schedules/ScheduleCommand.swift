internal import ArgumentParser

struct ScheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Submit job files by the clock: nightly evaluations.",
        discussion: """
            Any running worker fires what is due; each due time is fired once, however many workers look.
            Example:  assay schedule add jobs/nightly.yaml, then  assay schedule list
            """,
        subcommands: [
            ScheduleAddCommand.self, ScheduleListCommand.self, ScheduleShowCommand.self, SchedulePauseCommand.self,
            ScheduleResumeCommand.self, ScheduleTriggerCommand.self, ScheduleBackfillCommand.self,
            ScheduleHistoryCommand.self, ScheduleRemoveCommand.self,
        ],
        defaultSubcommand: ScheduleListCommand.self)
}
