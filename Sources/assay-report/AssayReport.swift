internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Evaluation
internal import Reporting
internal import ResultStore

@main
struct AssayReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assay-report",
        abstract: "Join published results into versioned, reproducible reports.",
        version: AssayVersion.text,
        subcommands: [BuildCommand.self, ShowCommand.self, ListCommand.self, VerifyCommand.self])

    static func main() async { await CommandRunner.main(AssayReport.self) }
}

extension GlobalOptions {
    /// The reports of the store; no database is needed to read them.
    ///
    /// Throws where there is no store: in the folder below one that is not mounted there are no reports either.
    func library() async throws -> ReportLibrary {
        let root = try self.resolve(label: "assay-report").settings.store.value
        return ReportLibrary(store: try await Store(root: root, access: .read).root)
    }
}
