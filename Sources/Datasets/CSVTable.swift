internal import Evaluation
internal import JSON
internal import OrderedCollections

/// A CSV file with a header row, read as pandas' `read_csv` reads it.
struct CSVTable {
    /// A cell, or nothing where the row ends before it.
    typealias Cell = [UInt8]?

    /// So many rows are typed together, as by the loader of `datasets`.
    static let batchRows = 10_000

    let columns: [String]
    private let file: String
    private let dialect: CSVDialect
    private let reader: CSVReader

    init(_ bytes: [UInt8], file: String, dialect: CSVDialect = CSVDialect()) throws(TaskError) {
        var reader = CSVReader(bytes: bytes, file: file, separator: dialect.separator)
        guard let header = try reader.row() else {
            throw TaskError(.invalidData, "the CSV file is empty; its first row must name the columns", file: file)
        }
        let names = header.cells.map { String(decoding: $0, as: UTF8.self) }
        if names.count == 1, dialect.separator != UInt8(ascii: "\t"), names[0].contains("\t") {
            throw TaskError(
                .invalidData,
                "the columns are separated by tabs; write dataset_kwargs: {sep: \"\\t\"} (a file .tsv is read so by "
                    + "`assay dataset add`)", file: file, line: header.line)
        }
        self.columns = Self.unique(names)
        self.file = file
        self.dialect = dialect
        self.reader = reader
    }

    /// Names as pandas makes them: a column without one is "Unnamed: 0", and a second "a" is "a.1".
    private static func unique(_ names: [String]) -> [String] {
        let names = names.enumerated().map { $0.element.isEmpty ? "Unnamed: \($0.offset)" : $0.element }
        let taken = Set(names)
        var counts: [String: Int] = [:]
        var unique: [String] = []
        for name in names {
            var (column, count) = (name, counts[name] ?? 0)
            while count > 0 {
                counts[name] = count + 1
                column = "\(name).\(count)"
                count = taken.contains(column) ? count + 1 : counts[column] ?? 0
            }
            unique.append(column)
            counts[column] = count + 1
        }
        return unique
    }

    /// Goes through the rows in order, each with a cell for every column and its line.
    func forEachRow(_ body: ([Cell], Int) throws(TaskError) -> Void) throws(TaskError) {
        var reader = self.reader
        while let row = try reader.row() {
            guard row.cells.count <= self.columns.count else {
                throw TaskError(
                    .invalidData,
                    "the row has \(row.cells.count) cells, but the header names \(self.columns.count); quote a cell that "
                        + "has a separator in it", file: self.file, line: row.line)
            }
            let missing = self.columns.count - row.cells.count
            try body(row.cells + [Cell](repeating: nil, count: missing), row.line)
        }
    }

    /// Whether pandas takes a cell for a missing value.
    func isNull(_ cell: Cell) -> Bool {
        guard let cell else { return true }
        if cell.isEmpty { return self.dialect.hasEmptyNulls }
        return self.dialect.hasNullWords && cell.count <= 9 && Self.nullWords.contains(cell)
    }

    private static let nullWords = Set(
        [
            "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
            "NULL", "NaN", "None", "n/a", "nan", "null",
        ].map { Array($0.utf8) })

    /// The values of a column's cells, and their type.
    func typed(_ cells: [Cell]) -> (type: ColumnType, values: [JSONValue]) {
        let nulls = cells.map(self.isNull)
        guard nulls.contains(false) else { return (.double, cells.map { _ in .null }) }
        switch self.integers(cells, nulls) {
        case .values(let type, let values): return (type, values)
        // Neither signed nor unsigned: pandas keeps what stands there, empty cells and words as well.
        case .words: return (.text, cells.map { .string(String(decoding: $0 ?? [], as: UTF8.self)) })
        case .texts: return (.text, Self.texts(cells, nulls))
        case .others: break
        }
        if let numbers = Self.all(cells, nulls, Self.double) { return (.double, numbers) }
        if let flags = Self.all(cells, nulls, Self.boolean) { return (.bool, flags) }
        return (.text, Self.texts(cells, nulls))
    }

    private static func texts(_ cells: [Cell], _ nulls: [Bool]) -> [JSONValue] {
        zip(cells, nulls).map { $1 ? .null : .string(String(decoding: $0 ?? [], as: UTF8.self)) }
    }

    private static func all(
        _ cells: [Cell], _ nulls: [Bool], _ value: ([UInt8]) -> JSONValue?
    ) -> [JSONValue]? {
        var values: [JSONValue] = []
        values.reserveCapacity(cells.count)
        for (cell, isNull) in zip(cells, nulls) {
            guard let cell, !isNull else {
                values.append(.null)
                continue
            }
            guard let value = value(cell) else { return nil }
            values.append(value)
        }
        return values
    }

    // MARK: - Integers

    private enum Integers {
        case values(ColumnType, [JSONValue])
        case texts
        /// Texts, none of which is missing.
        case words
        case others
    }

    private enum Digits {
        case number(UInt64, isNegative: Bool)
        /// Beyond 64 bits, whatever follows.
        case large
        case none
    }

    /// What stands in a cell: space, a sign, digits, space.
    private static func digits(_ cell: [UInt8], limit: (_ isNegative: Bool) -> UInt64) -> Digits {
        var position = 0
        func skipSpace() {
            while position < cell.count, Self.isSpace(cell[position]) { position += 1 }
        }
        skipSpace()
        var isNegative = false
        if position < cell.count, cell[position] == UInt8(ascii: "-") || cell[position] == UInt8(ascii: "+") {
            isNegative = cell[position] == UInt8(ascii: "-")
            position += 1
        }
        let start = position
        var number: UInt64 = 0
        while position < cell.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(cell[position]) {
            let (product, isLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = product.addingReportingOverflow(UInt64(cell[position] - UInt8(ascii: "0")))
            guard !isLarge, !isLarger, sum <= limit(isNegative) else { return .large }
            number = sum
            position += 1
        }
        guard position > start else { return .none }
        skipSpace()
        return position == cell.count ? .number(number, isNegative: isNegative) : .none
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func integers(_ cells: [Cell], _ nulls: [Bool]) -> Integers {
        var values: [JSONValue] = []
        values.reserveCapacity(cells.count)
        for (cell, isNull) in zip(cells, nulls) {
            guard let cell, !isNull else {
                values.append(.null)
                continue
            }
            switch Self.digits(cell, limit: { $0 ? 1 << 63 : UInt64(Int.max) }) {
            case .number(let number, let isNegative):
                values.append(.int(isNegative ? Int(truncatingIfNeeded: 0 &- number) : Int(number)))
            case .large: return self.unsigned(cells, nulls)
            case .none: return .others
            }
        }
        guard nulls.contains(true) else { return .values(.int, values) }
        // The least integer is what pandas marks missing ones with, and there are no missing ones but among doubles.
        let numbers = values.map { value in
            if case .int(let number) = value, number != .min {
                JSONValue.double(Double(number))
            } else {
                JSONValue.null
            }
        }
        return .values(.double, numbers)
    }

    private func unsigned(_ cells: [Cell], _ nulls: [Bool]) -> Integers {
        var values: [JSONValue] = []
        var (isUnsigned, isSigned) = (false, false)
        for (cell, isNull) in zip(cells, nulls) {
            guard let cell, !isNull else {
                values.append(.null)
                continue
            }
            if cell.drop(while: Self.isSpace).first == UInt8(ascii: "-") {
                isSigned = true
                values.append(.null)
                continue
            }
            switch Self.digits(cell, limit: { _ in .max }) {
            case .number(let number, _):
                if number > UInt64(Int.max) { isUnsigned = true }
                // Beyond 63 bits it is printed all the same.
                values.append(number > UInt64(Int.max) ? .string(String(number)) : .int(Int(number)))
            case .large: return .texts
            case .none: return .others
            }
        }
        if isUnsigned, isSigned || nulls.contains(true) { return .words }
        return isSigned ? .texts : .values(.int, values)
    }

    // MARK: - Other types

    private static func boolean(_ cell: [UInt8]) -> JSONValue? {
        switch String(decoding: cell, as: UTF8.self).lowercased() {
        case "true": .bool(true)
        case "false": .bool(false)
        default: nil
        }
    }

    /// A number as pandas 3 reads it: the nearest double, which is infinite beyond the greatest.
    static func double(_ cell: [UInt8]) -> JSONValue? {
        var rest = cell[...]
        @discardableResult func skip(while isWanted: (UInt8) -> Bool) -> Int {
            let end = rest.firstIndex { !isWanted($0) } ?? rest.endIndex
            defer { rest = rest[end...] }
            return end - rest.startIndex
        }
        func skipOne(of bytes: UInt8...) -> Bool {
            guard let first = rest.first, bytes.contains(first) else { return false }
            rest.removeFirst()
            return true
        }
        let digits: ClosedRange = UInt8(ascii: "0")...UInt8(ascii: "9")
        let (plus, minus) = (UInt8(ascii: "+"), UInt8(ascii: "-"))
        skip(while: Self.isSpace)
        let start = rest.startIndex
        _ = skipOne(of: plus, minus)
        var count = skip(while: digits.contains)
        if skipOne(of: UInt8(ascii: ".")) { count += skip(while: digits.contains) }
        guard count > 0 else { return Self.infinity(cell) }
        if skipOne(of: UInt8(ascii: "e"), UInt8(ascii: "E")) {
            _ = skipOne(of: plus, minus)
            guard skip(while: digits.contains) > 0 else { return nil }
        }
        let number = Double(String(decoding: cell[start..<rest.startIndex], as: UTF8.self))
        skip(while: Self.isSpace)
        return rest.isEmpty ? number.map(JSONValue.double) : nil
    }

    private static func infinity(_ cell: [UInt8]) -> JSONValue? {
        switch String(decoding: cell, as: UTF8.self).lowercased() {
        case "inf", "+inf", "infinity", "+infinity": .double(.infinity)
        case "-inf", "-infinity": .double(-.infinity)
        default: nil
        }
    }
}

/// Takes a CSV file apart, as pandas' tokenizer does.
private struct CSVReader {
    let bytes: [UInt8]
    let file: String
    let separator: UInt8
    var position = 0
    var line = 1

    init(bytes: [UInt8], file: String, separator: UInt8) {
        self.bytes = bytes
        self.file = file
        self.separator = separator
    }

    /// The next row that is more than white space.
    mutating func row() throws(TaskError) -> (line: Int, cells: [[UInt8]])? {
        while self.takeEmptyLine() {}
        guard self.position < self.bytes.count else { return nil }
        let start = self.position
        let line = self.line
        var cells: [[UInt8]] = []
        while true {
            cells.append(try self.cell())
            guard self.position - start <= DataSet.Limit.rowBytes, cells.count <= DataSet.Limit.columns else {
                throw TaskError(
                    .limitExceeded, "the row is longer than 16 MiB, or has more than \(DataSet.Limit.columns) cells",
                    file: self.file, line: line)
            }
            if self.position >= self.bytes.count || self.takeLineEnd() { return (line, cells) }
            self.position += 1
        }
    }

    private mutating func takeEmptyLine() -> Bool {
        var end = self.position
        while end < self.bytes.count, self.bytes[end] == 0x20 || self.bytes[end] == 0x09,
            self.bytes[end] != self.separator
        {
            end += 1
        }
        guard end < self.bytes.count else {
            let isSpace = end > self.position
            self.position = end
            return isSpace
        }
        guard Self.isLineEnd(self.bytes[end]) else { return false }
        self.position = end
        return self.takeLineEnd()
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private mutating func takeLineEnd() -> Bool {
        guard Self.isLineEnd(self.bytes[self.position]) else { return false }
        if self.bytes[self.position] == UInt8(ascii: "\r"), self.position + 1 < self.bytes.count,
            self.bytes[self.position + 1] == UInt8(ascii: "\n")
        {
            self.position += 1
        }
        self.position += 1
        self.line += 1
        return true
    }

    /// Up to a separator or a line end, which is not taken.
    private mutating func cell() throws(TaskError) -> [UInt8] {
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
        }
        // What follows a closing quote belongs to the cell, quotes as well.
        while self.position < self.bytes.count, self.bytes[self.position] != self.separator,
            !Self.isLineEnd(self.bytes[self.position])
        {
            cell.append(self.bytes[self.position])
            self.position += 1
        }
        // As C's strings end.
        return cell.firstIndex(of: 0).map { Array(cell[..<$0]) } ?? cell
    }
}
