public import Reporting

/// The scores of a run as a table.
public enum ScoreTable {
    /// The table; the model's column is there only if there are several models.
    public static func render(_ rows: [ScoreRow], on terminal: Terminal) -> PrintedText {
        let hasManyModels = Set(rows.map(\.model)).count > 1
        var table = Table(
            ["task"] + (hasManyModels ? ["model"] : []) + ["metric", ">n", "*>score", ">± SE", ">95 % interval"])
        var last: String?
        for row in rows {
            // A task's name is said once where its lines follow each other, so that tasks stand out.
            let isSaid = row.title == last && terminal.usesColour
            last = row.title
            table.add(
                [isSaid ? "" : row.title] + (hasManyModels ? [row.model] : [])
                    + [row.metricTitle, String(row.n), row.texts.value, row.texts.spread, row.texts.interval])
        }
        return table.rendered(on: terminal)
    }
}

extension BuiltReport {
    /// The score table and where everything is.
    public func summary(on terminal: Terminal) -> PrintedText {
        let news = self.published.isNew ? "new" : "unchanged: the same results gave these very files before"
        var text = ScoreTable.render(self.report.scoreRows, on: terminal)
        text += "\n\n\(terminal.styled("report", .bold)) v\(self.published.version), \(news)\n"
        text += "  \(self.absoluteFolder)/report.html\n\(terminal.styled("results", .bold))"
        for file in self.resultFiles { text += "\n  \(file)" }
        return text
    }
}
