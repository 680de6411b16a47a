internal import ArgumentParser

struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results", abstract: "Find, identify and check result files.",
        subcommands: [ResultsPathCommand.self, ResultsDigestCommand.self, ResultsVerifyCommand.self])
}
