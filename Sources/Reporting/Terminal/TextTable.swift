/// Cells in aligned columns for the terminal.
struct TextTable: Sendable, Hashable {
    enum Alignment: Sendable, Hashable {
        case left
        case right
    }

    struct Column: Sendable, Hashable {
        var title: String
        var alignment: Alignment
        /// Whether the cells are what to look at first.
        var isBold: Bool

        init(_ title: String, _ alignment: Alignment = .left, isBold: Bool = false) {
            self.title = title
            self.alignment = alignment
            self.isBold = isBold
        }
    }

    var columns: [Column]
    /// One cell per column; missing ones are empty, more are left out.
    var rows: [[String]]

    init(columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = rows
    }

    /// The table, each line ended by a newline and without spaces before it; control characters in cells become spaces.
    func render(style: TerminalStyle) -> String {
        let cells = self.rows.map { row in
            self.columns.indices.map { $0 < row.count ? Printable.text(row[$0]) : "" }
        }
        let titles = self.columns.map { Printable.text($0.title) }
        let widths = self.columns.indices.map { column in
            ([titles] + cells).reduce(0) { max($0, TerminalWidth.of($1[column])) }
        }
        var text = self.line(titles, widths) { cell, _ in style.dim(cell) }
        for row in cells {
            text += self.line(row, widths) { $1.isBold ? style.bold($0) : $0 }
        }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int], _ decorate: (String, Column) -> String) -> String {
        var text = ""
        var gap = 0
        for (index, cell) in cells.enumerated() {
            let space = widths[index] - TerminalWidth.of(cell)
            let column = self.columns[index]
            gap += index == 0 ? 0 : 2
            if column.alignment == .right { gap += space }
            if !cell.isEmpty {
                text += String(repeating: " ", count: gap) + decorate(cell, column)
                gap = 0
            }
            if column.alignment == .left { gap += space }
        }
        return text + "\n"
    }
}

extension TerminalStyle {
    func bold(_ text: String) -> String { self == .ansi ? "\u{1B}[1m\(text)\u{1B}[22m" : text }

    func dim(_ text: String) -> String {
        self == .ansi ? "\u{1B}[2m\(text)\u{1B}[22m" : text
    }
}

/// How many columns of a terminal a text takes.
enum TerminalWidth {
    static func of(_ text: String) -> Int {
        text.reduce(0) { width, character in
            guard let scalar = character.unicodeScalars.first else { return width }
            return width + (Self.isWide(scalar) ? 2 : 1)
        }
    }

    /// Whether a character is of the blocks that Unicode's East Asian Width calls wide.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
