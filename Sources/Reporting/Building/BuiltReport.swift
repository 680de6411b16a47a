/// A report as it was built: what it says and where it stands.
public struct BuiltReport: Sendable {
    public let report: Report
    public let published: PublishedReport
    /// The version's folder.
    public let absoluteFolder: String
    /// The HDF5 file of every job, in the run's order.
    public let resultFiles: [String]

    /// The score table and where everything is, each line ended by a newline.
    public func summary(style: TerminalStyle) -> String {
        let news =
            self.published.isNew
            ? "new" : "unchanged: the same results gave these very files before"
        var text = ScoreTable.render(self.report.scoreRows, style: style)
        text += "\n\(style.bold("report")) v\(self.published.version), \(news)\n"
        text += "  \(self.absoluteFolder)/report.html\n"
        text += "\(style.bold("results"))\n"
        for file in self.resultFiles { text += "  \(file)\n" }
        return text
    }
}
