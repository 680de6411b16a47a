internal import ArgumentParser
internal import Console

struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Stop the embedded PostgreSQL; nothing is lost.",
        discussion: "Example:  assay down")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        let wasRunning = try await EmbeddedDatabase.stop(settings, logger: logger)
        if self.options.json {
            try Output.json(["wasRunning": wasRunning])
        } else {
            Output.line(wasRunning ? "PostgreSQL is stopped" : "PostgreSQL was not running")
        }
    }
}
