/// Text in aligned columns.
public struct Table: Sendable {
    public enum Alignment: Sendable { case left, right }

    private let header: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// Columns named with a leading ">" are aligned to the right.
    public init(_ columns: String...) {
        self.header = columns.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
        self.alignments = columns.map { $0.hasPrefix(">") ? .right : .left }
    }

    public mutating func add(_ cells: String...) { self.rows.append(cells) }

    public var isEmpty: Bool { self.rows.isEmpty }

    public func rendered(on terminal: Terminal) -> String {
        var widths = self.header.map(\.count)
        for row in self.rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (column, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                text += self.alignments[column] == .left ? cell + padding : padding + cell
                if column < cells.count - 1 { text += "  " }
            }
            while text.last == " " { text.removeLast() }
            return text
        }
        return ([terminal.styled(line(self.header), .bold)] + self.rows.map(line)).joined(separator: "\n")
    }
}
