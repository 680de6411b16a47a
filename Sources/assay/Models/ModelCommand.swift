internal import ArgumentParser

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Register models and look at them.",
        subcommands: [ModelAddCommand.self, ModelListCommand.self, ModelShowCommand.self],
        defaultSubcommand: ModelListCommand.self)
}
