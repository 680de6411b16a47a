internal import Console
internal import Reporting

extension GlobalOptions {
    /// How standard output wants to be written to.
    var style: TerminalStyle {
        Terminal.standardOutput(environment: self.environment).usesColour ? .ansi : .plain
    }

    /// The reports of the store; no database is needed to read them.
    func library() throws(CommandFailure) -> ReportLibrary {
        ReportLibrary(store: try self.resolve(label: "assay-report").settings.store.value)
    }
}
