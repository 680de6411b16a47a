internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import PostgresQueue
internal import ResultStore
internal import TerminalText

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Make the folder of results, and say which database it belongs to.",
        subcommands: [StoreCreateCommand.self, StoreAdoptCommand.self, StoreShowCommand.self])
}

/// The folder that a command is about.
struct StoreArguments: ParsableArguments {
    @Argument(help: "The folder; without it, the store of the settings.")
    var folder: String?

    @OptionGroup var options: GlobalOptions

    func root(_ session: Session) -> String {
        guard let folder = self.folder else { return session.settings.store.value }
        return folder.hasPrefix("/") ? folder : "\(FileManager.default.currentDirectoryPath)/\(folder)"
    }
}

/// What is said of a store.
private struct StoreAnswer: Encodable {
    var folder: String
    var store: String?
    /// The database that it belongs to.
    var database: String?

    init(_ root: String, _ identity: StoreIdentity?) {
        self.folder = root
        self.store = identity?.store.uuidString.lowercased()
        self.database = identity?.database?.uuidString.lowercased()
    }
}

struct StoreCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a folder the store of a new database.",
        discussion: """
            The folder above it must be there. The default store of the embedded server needs no command.
            Example:  assay store create /shared/assay
            """)

    @OptionGroup var arguments: StoreArguments

    func run() async throws {
        let answer = try await Session.with(self.arguments.options) { session in
            let root = self.arguments.root(session)
            return StoreAnswer(root, try await session.createStore(at: root).identity)
        }
        if self.arguments.options.json { return try Output.json(answer) }
        Output.line("made store \(answer.store ?? "") in \(answer.folder)")
        Output.note("every machine that works with it needs ASSAY_STORE=\(answer.folder)")
    }
}

struct StoreAdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract:
            "Say that a folder is this database's store: one of an older release, a moved one, another database's.",
        discussion: """
            A store has one database. After this, the one that it belonged to is refused; who adopted it, and when, is kept.
            Example:  assay store adopt /shared/assay
            """)

    @OptionGroup var arguments: StoreArguments

    @Flag(help: "Don't ask, whatever it changes for others.")
    var yes = false

    func run() async throws {
        let answer = try await Session.with(self.arguments.options) { session in
            let root = self.arguments.root(session)
            let objections = try await session.objections(toAdopting: root)
            if !objections.isEmpty {
                try await Confirmation.obtain(objections.joined(separator: "; "), isGiven: self.yes)
            }
            return StoreAnswer(root, try await session.adoptStore(at: root).identity)
        }
        if self.arguments.options.json { return try Output.json(answer) }
        Output.line("store \(answer.store ?? "") in \(answer.folder) is this database's now")
    }
}

struct StoreShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show who the store is, and which one the database belongs to.",
        discussion: "Example:  assay store show")

    @OptionGroup var arguments: StoreArguments

    private struct Answer: Encodable {
        var found: StoreAnswer
        /// The store that the database belongs to.
        var adopted: String?
        var path: String?
        var user: String?
        var at: Date?
    }

    func run() async throws {
        let answer = try await Session.with(self.arguments.options) { session in
            let root = self.arguments.root(session)
            let adoption = try await session.queue.databaseIdentity().adoption
            return Answer(
                found: StoreAnswer(root, try await Store.identity(root: root)),
                adopted: adoption?.store.uuidString.lowercased(), path: adoption?.path, user: adoption?.user,
                at: adoption?.adoptedAt)
        }
        if self.arguments.options.json { return try Output.json(answer) }
        Output.line(Format.field("folder", answer.found.folder))
        Output.line(Format.field("store", answer.found.store ?? "(this folder is none)"))
        Output.line(Format.field("belongs to", answer.found.database ?? "(no database yet)"))
        Output.line(Format.field("database's store", answer.adopted ?? "(none yet)"))
        if let path = answer.path, let user = answer.user, let at = answer.at {
            Output.line(Format.field("adopted", "at \(path) by \(user), \(Format.time(at))"))
        }
    }
}
