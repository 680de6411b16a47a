internal import ArgumentParser
internal import Console

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start the embedded PostgreSQL, bring its schema up to date, and make its store.",
        discussion: """
            A private cluster in ASSAY_HOME that listens on a Unix socket only. Doing it again changes nothing.
            Settings of your own go to <home>/postgresql.conf; they count from the next start on.
            Example:  assay up
            """)

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Make a home that was copied, or restored from a backup, a database of its own.")
    var adopt = false

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
        let version = try await EmbeddedDatabase.start(settings, adopting: self.adopt, logger: logger)
        // The server is up whatever the store is like.
        let trouble = try await Session.with(settings, logger: logger) { session -> String? in
            do {
                _ = try await session.store()
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let trouble { Output.note("the store can't be used yet: \(trouble)") }
        if self.options.json {
            try Output.json(Answer(home: settings.home.value, schemaVersion: version))
        } else {
            Output.line("PostgreSQL is running in \(settings.home.value), schema version \(version)")
        }
    }
}
