public import ArgumentParser
public import AssayRuntime
internal import FoundationEssentials
public import Logging
internal import TerminalText

/// Options that every command takes.
public struct GlobalOptions: ParsableArguments {
    @Option(help: "Folder of the embedded PostgreSQL (ASSAY_HOME; default ./.assay).")
    public var home: String?

    @Option(help: "Folder of results on shared storage (ASSAY_STORE; default <home>/store).")
    public var store: String?

    @Option(
        help: "PostgreSQL URL, without a password (ASSAY_DATABASE_URL; default: the embedded server).")
    public var databaseURL: String?

    @Option(name: .customLong("log"), help: "Log level: trace, debug, info, warning, error (ASSAY_LOG).")
    public var logLevel: String?

    @Flag(help: "Print one JSON document for machines.")
    public var json = false

    public init() {}

    /// The settings in force, and the logger they ask for.
    public func resolve(label: String) throws(UserError) -> (settings: Settings, logger: Logger) {
        var flags: [String: String] = [:]
        flags["home"] = self.home
        flags["store"] = self.store
        flags["database_url"] = self.databaseURL
        flags["log"] = self.logLevel
        let settings = try Settings(
            flags: flags, environment: self.environment, folder: FileManager.default.currentDirectoryPath)
        guard let level = Logger.Level(rawValue: settings.logLevel.value) else {
            throw UserError(
                "log level '\(settings.logLevel.value)' (\(settings.logLevel.source.rawValue)) is unknown",
                hint: "use one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))", kind: .usage)
        }
        if let warning = EmbeddedDatabase.warning(about: settings.databaseURL) { Output.note(PrintedText(warning)) }
        let format = AssayLogHandler.Format(rawValue: settings.logFormat.value) ?? .text
        let logger = Logger(label: label) { AssayLogHandler(label: $0, level: level, format: format) }
        return (settings, logger)
    }

    public var environment: [String: String] { Programs.environment }
}

extension Session {
    /// Resolves the settings, opens the queue, runs `body` and closes everything.
    public static func with<Value: Sendable>(
        _ options: GlobalOptions, label: String = "assay", _ body: (Session) async throws -> Value
    ) async throws -> Value {
        let (settings, logger) = try options.resolve(label: label)
        return try await self.with(settings, logger: logger, body)
    }
}
