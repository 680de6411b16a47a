internal import Console
internal import Reporting

extension GlobalOptions {
    /// The reports of the store; no database is needed to read them.
    func library() throws(CommandFailure) -> ReportLibrary {
        ReportLibrary(store: try self.resolve(label: "assay-report").settings.store.value)
    }
}
