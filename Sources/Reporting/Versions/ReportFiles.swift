/// The files of a report's version, in memory: report.json, report.md, report.html, the samples and manifest.json.
public struct ReportFiles: Sendable, Hashable {
    /// Name to content.
    public private(set) var contents: [String: [UInt8]]

    /// Renders every file of the report on `input`.
    public init(_ input: ReportInput, name: ReportName, toolVersion: String) throws(ReportError) { self.contents = [:] }
}
/// What a version consists of and was made from.
public struct ReportManifest: Sendable, Hashable {}
