internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

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
            throw UserError(
                "a database is set (\(url.source.rawValue)), so the embedded server is not used",
                hint: "unset ASSAY_DATABASE_URL (or --database-url, or database_url in assay.yaml) to use it",
                kind: .usage)
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

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema up to date, and say which roles may use it.",
        discussion: """
            Done by itself on the embedded server; on any other one it is yours to say when. Who migrates owns the tables;
            every other role of the server must be granted what it does: submitter (submits, and changes its own runs,
            models, data sets and schedules), worker, operator (changes others' work, projects, workers), or reader.
            Workers of the last release that are at work go on to the end of their work; its programs that are started
            afterwards refuse ("use a newer program"). From this release on programs start with a newer schema, too, as long
            as it says that it works with them. Where workers could not go on, this command refuses until they have left.
            Example:  ASSAY_DATABASE_URL=postgres://host/assay assay migrate --grant alice=submitter --grant gpu=worker
            """)

    @Option(help: "ROLE=ABILITY: let a role of the server do this from now on; may be repeated.")
    var grant: [String] = []

    @Option(help: "ROLE=ABILITY: take it away again; may be repeated.")
    var revoke: [String] = []

    @Flag(help: "Go ahead although workers, or roles that change tables directly, will be locked out.")
    var force = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var schemaVersion: Int
        var grants: [RoleGrant]
    }

    private var change: MigrationOptions {
        get throws {
            MigrationOptions(
                grants: try self.grant.map { try RoleGrant($0) },
                revocations: try self.revoke.map { try RoleGrant($0) },
                isForced: self.force)
        }
    }

    func validate() throws {
        do {
            _ = try self.change
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        let (version, grants) = try await Session.migrate(settings, logger: logger, try self.change)
        if self.options.json { return try Output.json(Answer(schemaVersion: version, grants: grants)) }
        Output.line("the schema is at version \(version)")
        for grant in grants { Output.line("role \(grant.role) is granted \(grant.ability.rawValue)") }
    }
}
