internal import ArgumentParser
internal import Console

@main
struct AssayReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assay-report",
        abstract: "Join published results into versioned, reproducible reports.",
        version: AssayVersion.text,
        subcommands: [BuildCommand.self, ShowCommand.self, ListCommand.self, VerifyCommand.self])

    static func main() async { await CommandRunner.main(AssayReport.self) }
}
