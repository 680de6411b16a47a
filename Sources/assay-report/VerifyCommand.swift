internal import ArgumentParser
internal import Console
internal import Reporting
internal import TerminalText

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a report's files against its manifest.",
        discussion: "Example:  assay-report verify k3f9m2ab")

    @Argument(help: "The report's name.")
    var name: String

    @Option(help: "The version; the newest by default.")
    var version: Int?

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var name: String
        var version: Int
        var files: Int
        var rebuild: String
    }

    func run() async throws {
        let library = try await self.options.library()
        let name = try ReportName(self.name)
        let version = try self.version ?? library.newestVersion(of: name)
        let manifest = try library.verify(name, version: version)
        if self.options.json {
            return try Output.json(
                Answer(name: "\(name)", version: version, files: manifest.files.count, rebuild: manifest.rebuild))
        }
        Output.line("\(manifest.files.count) files of report \(name) v\(version) are as in its manifest")
        Output.line("rebuild it with: \(manifest.rebuild)")
    }
}
