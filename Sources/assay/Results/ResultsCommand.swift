internal import ArgumentParser

struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results", abstract: "Find, identify, check and clean up result files.",
        subcommands: [
            ResultsPathCommand.self, ResultsDigestCommand.self, ResultsVerifyCommand.self, ResultsGCCommand.self,
            ResultsRescoreCommand.self,
        ])
}
