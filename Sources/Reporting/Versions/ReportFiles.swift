/// The files of a report's version, in memory: report.json, report.md, report.html, the samples and manifest.json.
public struct ReportFiles: Sendable, Hashable {
    /// What the files show.
    public let report: Report
    public let manifest: ReportManifest
    /// Name to content, manifest.json included.
    public let contents: [String: [UInt8]]

    /// Renders every file of the report on `input`; the same input gives the same bytes.
    ///
    /// - Parameter toolVersion: The version of the program that builds, which is part of the report.
    public init(_ input: ReportInput, name: ReportName, toolVersion: String) throws(ReportError) {
        let report = try Report(input, name: name, toolVersion: toolVersion)
        let view = ReportView(report)
        var contents: [String: [UInt8]] = [
            "report.json": Array(report.json.text.utf8),
            "report.md": Array(try Templates.markdown(view).utf8),
            "report.html": Array(try Templates.html(view).utf8),
        ]
        for (job, file) in zip(input.jobs, SampleFileNames.assign(input.jobs)) {
            contents[file] = Array(SamplesCSV.render(job).utf8)
        }
        let manifest = ReportManifest(report, contents: contents)
        contents[ReportManifest.fileName] = Array(manifest.json.text.utf8)
        self.report = report
        self.manifest = manifest
        self.contents = contents
    }
}
