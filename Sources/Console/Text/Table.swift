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
