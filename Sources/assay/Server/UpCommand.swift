internal import ArgumentParser
internal import Console

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start the embedded PostgreSQL and bring its schema up to date.",
        discussion: """
            A private cluster in ASSAY_HOME that listens on a Unix socket only. Doing it again changes nothing.
            Example:  assay up
            """)

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var home: String
        var schemaVersion: Int
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        if let url = settings.databaseURL {
            throw CommandFailure(
                "a database is set (\(url.source.rawValue)), so the embedded server is not used",
                hint: "unset ASSAY_DATABASE_URL (or --database-url, or database_url in assay.yaml) to use it",
                exitCode: .usage)
        }
        let version = try await EmbeddedDatabase.start(settings, logger: logger)
        if self.options.json {
            try Output.json(Answer(home: settings.home.value, schemaVersion: version))
        } else {
            Output.line("PostgreSQL is running in \(settings.home.value), schema version \(version)")
        }
    }
}
