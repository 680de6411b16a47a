internal import ArgumentParser
internal import Console
internal import Evaluation

@main
struct Assay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assay",
        abstract: "Evaluate language models in batches, with results one can trust and reproduce.",
        discussion: """
            Start with:  assay up, then  assay model add NAME FILE.gguf, then  assay run jobs/demo.yaml
            Exit codes: 0 ok, 1 failed, 2 usage, 3 gate not passed.
            """,
        version: AssayVersion.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Set-up:",
                subcommands: [
                    UpCommand.self, DownCommand.self, MigrateCommand.self, StoreCommand.self, DoctorCommand.self,
                ]),
            CommandGroup(
                name: "What to run:", subcommands: [ModelCommand.self, DataSetCommand.self, TaskCommand.self]),
            CommandGroup(name: "By the clock:", subcommands: [ScheduleCommand.self]),
            CommandGroup(
                name: "Runs:",
                subcommands: [
                    SubmitCommand.self, RunCommand.self, ListCommand.self, ShowCommand.self, WatchCommand.self,
                    ResultsCommand.self,
                ]),
            CommandGroup(
                name: "Operations:",
                subcommands: [
                    ExplainCommand.self, LogsCommand.self, CancelCommand.self, HoldCommand.self, ReleaseCommand.self,
                    RetryCommand.self, PriorityCommand.self, ProjectCommand.self, ArchiveCommand.self,
                    BenchCommand.self,
                ]),
            CommandGroup(name: "Who works:", subcommands: [WorkerCommand.self]),
        ])

    static func main() async { await CommandRunner.main(Assay.self) }
}
