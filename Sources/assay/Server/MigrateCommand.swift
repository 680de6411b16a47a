internal import ArgumentParser
internal import Console
internal import JobQueue

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema up to date.",
        discussion: """
            Done by itself on the embedded server; on any other one it is yours to say when.
            Example:  ASSAY_DATABASE_URL=postgres://host/assay assay migrate
            """)

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        let version = try await Session.migrate(settings, logger: logger)
        if self.options.json {
            try Output.json(["schemaVersion": version])
        } else {
            Output.line("the schema is at version \(version)")
        }
    }
}
