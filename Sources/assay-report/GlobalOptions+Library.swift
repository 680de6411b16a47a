internal import Console
internal import Reporting
internal import ResultStore

extension GlobalOptions {
    /// The reports of the store; no database is needed to read them.
    ///
    /// Throws where there is no store: in the folder below one that is not mounted there are no reports either.
    func library() async throws -> ReportLibrary {
        let root = try self.resolve(label: "assay-report").settings.store.value
        return ReportLibrary(store: try await Store(root: root, access: .read).root)
    }
}
