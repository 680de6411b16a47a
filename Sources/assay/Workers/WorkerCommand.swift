internal import ArgumentParser

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Look at workers and send them home.",
        subcommands: [WorkerListCommand.self, WorkerDrainCommand.self], defaultSubcommand: WorkerListCommand.self)
}
