internal import ArgumentParser

struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results", abstract: "Find, identify, check, repair and clean up result files.",
        subcommands: [
            ResultsPathCommand.self, ResultsDigestCommand.self, ResultsVerifyCommand.self, ResultsRepairCommand.self,
            ResultsUsageCommand.self,
            ResultsGCCommand.self, ResultsRemoveCommand.self,
            ResultsRescoreCommand.self,
        ])
}
