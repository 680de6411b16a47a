/// The reports of a store: `reports/<name>/v<N>/`.
///
/// Versions are immutable. Any number of builders on any number of machines may publish at once.
public struct ReportLibrary: Sendable {
    /// The store's root folder.
    public let store: String

    public init(store: String) { self.store = store }

    /// Publishes `files` as the report's next version, unless a version with the very same files exists.
    public func publish(_ files: ReportFiles, as name: ReportName) throws(ReportError) -> PublishedReport {
        throw ReportError(.fileSystem, "")
    }

    /// The names of all reports, in order.
    public func names() throws(ReportError) -> [ReportName] { [] }

    /// The published versions of a report, ascending; empty for a name that has none.
    public func versions(of name: ReportName) throws(ReportError) -> [Int] { [] }

    /// Checks every file of a version against its manifest; throws `damaged` that names the first fault.
    public func verify(_ name: ReportName, version: Int) throws(ReportError) -> ReportManifest {
        throw ReportError(.notFound, "")
    }

    /// The scores of a version, whose files are verified first.
    public func scores(of name: ReportName, version: Int) throws(ReportError) -> [ScoreRow] { [] }
}

/// A version that stands on the disk.
public struct PublishedReport: Sendable, Hashable {
    public var name: ReportName
    public var version: Int
    /// The version's folder.
    public var path: String
    /// False if the version was there before, with the very same files.
    public var isNew: Bool
}
