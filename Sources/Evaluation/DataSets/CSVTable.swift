internal import OrderedCollections

/// A CSV file after RFC 4180, with a header row.
struct CSVTable {
    private let file: String
    private let columns: [String]
    /// Cells in the columns' order, with the line on which the row starts.
    private let rows: [(line: Int, cells: [String])]

    init(_ bytes: [UInt8], file: String) throws(TaskError) {
        var reader = CSVReader(bytes: bytes, file: file)
        guard let header = try reader.row() else {
            throw TaskError(.invalidData, "the CSV file is empty; its first row must name the columns", file: file)
        }
        var known: Set<String> = []
        for (index, name) in header.cells.enumerated() {
            guard !name.isEmpty else {
                throw TaskError(.invalidData, "column \(index + 1) has no name", file: file, line: header.line)
            }
            guard known.insert(name).inserted else {
                throw TaskError(.invalidData, "the column \(name) is there twice", file: file, line: header.line)
            }
        }
        var rows: [(line: Int, cells: [String])] = []
        while let row = try reader.row() {
            guard row.cells.count == header.cells.count else {
                throw TaskError(
                    .invalidData, "the row has \(row.cells.count) cells, but the header names \(header.cells.count)",
                    file: file, line: row.line)
            }
            rows.append(row)
        }
        self.file = file
        self.columns = header.cells
        self.rows = rows
    }

    /// One JSON object a row.
    ///
    /// A column is of integers, numbers or booleans if all its cells are; an empty cell is null. Digits with a
    /// leading zero stay text.
    func jsonl() -> [UInt8] {
        let kinds = self.columns.indices.map { column in ColumnKind(of: self.rows.lazy.map { $0.cells[column] }) }
        var bytes: [UInt8] = []
        for row in self.rows {
            var members: OrderedDictionary<String, JSONValue> = [:]
            for (index, cell) in row.cells.enumerated() { members[self.columns[index]] = kinds[index].value(cell) }
            JSONValue.object(members).write(to: &bytes, sortingKeys: false)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}

private enum ColumnKind {
    case integer
    case number
    case boolean
    case text

    init(of cells: some Sequence<String>) {
        var candidates: [ColumnKind] = [.integer, .number, .boolean]
        var isEmpty = true
        for cell in cells where !cell.isEmpty {
            isEmpty = false
            candidates.removeAll { $0.value(cell) == .null }
            if candidates.isEmpty { break }
        }
        self = isEmpty ? .text : candidates.first ?? .text
    }

    /// Null for an empty cell, and for one that is not of this kind.
    func value(_ cell: String) -> JSONValue {
        if cell.isEmpty { return .null }
        switch self {
        case .integer:
            guard let number = Int(cell), String(number) == cell else { return .null }
            return .int(number)
        case .number:
            guard case .double(let number)? = try? JSONValue.parse(cell.utf8) else {
                guard let number = Int(cell), String(number) == cell else { return .null }
                return .double(Double(number))
            }
            return .double(number)
        case .boolean:
            switch cell {
            case "true", "True", "TRUE": return .bool(true)
            case "false", "False", "FALSE": return .bool(false)
            default: return .null
            }
        case .text: return .string(cell)
        }
    }
}

private struct CSVReader {
    let bytes: [UInt8]
    let file: String
    var position = 0
    var line = 1

    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        // A byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self.position = 3 }
    }

    /// The next row that is not an empty line.
    mutating func row() throws(TaskError) -> (line: Int, cells: [String])? {
        while self.position < self.bytes.count, self.takeLineEnd() {}
        guard self.position < self.bytes.count else { return nil }
        let start = self.position
        let line = self.line
        var cells: [String] = []
        while true {
            cells.append(try self.cell())
            guard self.position - start <= DataSet.Limit.rowBytes else {
                throw TaskError(.limitExceeded, "the row is longer than 16 MiB", file: self.file, line: line)
            }
            if self.position >= self.bytes.count || self.takeLineEnd() { return (line, cells) }
            guard self.bytes[self.position] == UInt8(ascii: ",") else {
                throw TaskError(
                    .invalidData, "a comma must follow the closing quote; quotes inside a cell are doubled",
                    file: self.file, line: self.line)
            }
            self.position += 1
        }
    }

    private mutating func takeLineEnd() -> Bool {
        switch self.bytes[self.position] {
        case UInt8(ascii: "\n"): break
        case UInt8(ascii: "\r"):
            if self.position + 1 < self.bytes.count, self.bytes[self.position + 1] == UInt8(ascii: "\n") {
                self.position += 1
            }
        default: return false
        }
        self.position += 1
        self.line += 1
        return true
    }

    private mutating func cell() throws(TaskError) -> String {
        let line = self.line
        var cell: [UInt8] = []
        if self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: "\"") {
            self.position += 1
            while true {
                guard self.position < self.bytes.count else {
                    throw TaskError(.invalidData, "this quoted cell is not closed", file: self.file, line: line)
                }
                let byte = self.bytes[self.position]
                self.position += 1
                if byte == UInt8(ascii: "\"") {
                    guard self.position < self.bytes.count, self.bytes[self.position] == byte else { break }
                    self.position += 1
                }
                if byte == UInt8(ascii: "\n") { self.line += 1 }
                cell.append(byte)
            }
        } else {
            while self.position < self.bytes.count,
                ![UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(self.bytes[self.position])
            {
                cell.append(self.bytes[self.position])
                self.position += 1
            }
        }
        guard let text = String(validating: cell, as: UTF8.self) else {
            throw TaskError(.invalidData, "the cell is not valid UTF-8", file: self.file, line: line)
        }
        return text
    }
}
