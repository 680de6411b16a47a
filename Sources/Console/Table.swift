public import Reporting
public import TerminalText

/// Text in aligned columns; the one table of all programs.
public struct Table: Sendable {
    private struct Column {
        var title: PrintedText
        var isRight = false
        var isBold = false
    }

    private let columns: [Column]
    private var rows: [[PrintedText]] = []

    /// Columns named with a leading ">" are aligned to the right, those with "*" in front of that stand out.
    public init(_ columns: String...) {
        self.init(columns)
    }

    public init(_ columns: [String]) {
        self.columns = columns.map { name in
            let rest = name.hasPrefix("*") ? name.dropFirst() : name[...]
            let isRight = rest.hasPrefix(">")
            return Column(
                title: PrintedText(isRight ? rest.dropFirst() : rest), isRight: isRight, isBold: name.hasPrefix("*"))
        }
    }

    /// Adds a row; missing cells are empty, more than there are columns are left out.
    public mutating func add(_ cells: String...) { self.add(cells) }

    public mutating func add(_ cells: [String]) {
        self.rows.append(self.columns.indices.map { $0 < cells.count ? PrintedText(cells[$0]) : "" })
    }

    public var isEmpty: Bool { self.rows.isEmpty }

    /// The lines without a newline at the end, and without blanks at theirs.
    public func rendered(on terminal: Terminal) -> PrintedText {
        let titles = self.columns.map(\.title)
        let widths = self.columns.indices.map { column in
            ([titles] + self.rows).reduce(0) { max($0, $1[column].width) }
        }
        let header = self.line(titles, widths) { cell, _ in terminal.styled(cell, .dim) }
        let lines = self.rows.map { row in
            self.line(row, widths) { $1.isBold ? terminal.styled($0, .bold) : $0 }
        }
        return ([header] + lines).joined(separator: "\n")
    }

    private func line(
        _ cells: [PrintedText], _ widths: [Int], _ decorate: (PrintedText, Column) -> PrintedText
    ) -> PrintedText {
        var text: PrintedText = ""
        var gap = 0
        for (index, cell) in cells.enumerated() {
            let (column, space) = (self.columns[index], widths[index] - cell.width)
            gap += (index == 0 ? 0 : 2) + (column.isRight ? space : 0)
            if !cell.isEmpty {
                text += PrintedText(String(repeating: " ", count: gap)) + decorate(cell, column)
                gap = 0
            }
            if !column.isRight { gap += space }
        }
        return text
    }
}

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
