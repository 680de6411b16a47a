internal import ArgumentParser

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Look at task files and at the prompts that they make.",
        subcommands: [
            TaskListCommand.self, TaskShowCommand.self, TaskPreviewCommand.self, TaskImportCommand.self,
        ],
        defaultSubcommand: TaskListCommand.self)
}
