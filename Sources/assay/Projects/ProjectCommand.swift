internal import ArgumentParser

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Shares and caps of projects.",
        subcommands: [ProjectListCommand.self, ProjectSetCommand.self])
}
