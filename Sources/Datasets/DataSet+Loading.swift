public import Evaluation
internal import JSON
internal import OrderedCollections
internal import PythonCompat

/// How a CSV file is written, as `dataset_kwargs` says.
public struct CSVDialect: Sendable, Hashable {
    public var separator = UInt8(ascii: ",")
    /// Words such as NA, null and None are missing values.
    public var hasNullWords = true
    /// An empty cell is a missing value.
    public var hasEmptyNulls = true

    public init() {}
}

/// How data files become rows: what a task file's `dataset_path` and `dataset_kwargs` say.
public struct DataReading: Sendable, Hashable {
    public enum Format: String, Sendable, Hashable {
        case json
        case csv
    }

    /// How a file's values are read.
    public enum Typing: String, Sendable, Hashable, CaseIterable {
        /// What the loaders of `datasets` make of them, so that prompts are lm-eval's.
        case datasets
        /// They stay as the file says.
        case verbatim
    }

    /// `nil`: by the file's name.
    public var format: Format?
    public var typing: Typing
    /// The member of a JSON file's one object that has the rows.
    public var field: String?
    public var dialect: CSVDialect

    public init(format: Format? = nil, typing: Typing = .datasets) {
        self.format = format
        self.typing = typing
        self.field = nil
        self.dialect = CSVDialect()
    }
}

extension DataSet {
    /// Reads a file: `.csv` and `.tsv` as a table with a header row, `.json` as a list of objects unless its lines are
    /// objects, anything else as JSON Lines; each may be packed with gzip.
    ///
    /// - Throws: `TaskError` with file and line.
    public static func load(path: String, reading: DataReading = DataReading()) throws(TaskError) -> DataSet {
        var loader = RowLoader(reading)
        try loader.read(path)
        return try loader.dataSet(file: path)
    }

    /// Reads the files of a split, one after the other.
    ///
    /// - Parameter first: The files of the split that decides what columns hold; `nil` where it is this one.
    public static func load(
        paths: [String], reading: DataReading, first: String? = nil
    ) throws(TaskError) -> DataSet {
        var loader = RowLoader(reading)
        if let first, reading.typing == .datasets { try loader.readTypes(first) }
        for path in paths { try loader.read(path) }
        return try loader.dataSet(file: paths.first ?? "")
    }
}

/// Types the columns of files and writes their rows.
///
/// As in the library `datasets`, the first rows of the first file decide (10 MiB of JSON, 10,000 rows of CSV), and the others
/// must fit: a text does not become a number, and no column is new.
private struct RowLoader {
    private static let batchBytes = 10 << 20
    private static let notedColumns = 10

    private let reading: DataReading
    private var columns: OrderedDictionary<String, ColumnType>?
    /// The file that decided.
    private var decidedBy = ""
    private var jsonl: [UInt8] = []
    private var rowCount = 0
    private var fileCount = 0
    /// The bytes of a file of JSON Lines to which nothing was done.
    private var unchanged: [UInt8]?
    private var notes: [String] = []
    private var noted: OrderedSet<String> = []

    init(_ reading: DataReading) { self.reading = reading }

    func dataSet(file: String) throws(TaskError) -> DataSet {
        var notes = self.notes
        if self.noted.count > Self.notedColumns {
            notes.append("\(self.noted.count - Self.notedColumns) more columns are typed so")
        }
        if !self.noted.isEmpty {
            notes.append(
                "typing: verbatim in dataset_kwargs keeps what the file says; prompts then differ from lm-eval's")
        }
        let jsonl = self.fileCount == 1 ? self.unchanged ?? self.jsonl : self.jsonl
        return try DataSet(jsonl: jsonl, file: file, notes: notes)
    }

    mutating func read(_ path: String) throws(TaskError) {
        self.fileCount += 1
        if path.lowercased().hasSuffix(".parquet") { throw DataFile.parquet(path) }
        let bytes = try DataFile.text(path)
        let (reading, format) = self.resolved(path)
        switch (format, reading.typing) {
        case (.json, _): try self.readJSON(try self.table(bytes, path), path)
        case (.csv, .datasets): try self.readCSV(try CSVTable(bytes, file: path, dialect: reading.dialect), path)
        case (.csv, .verbatim): try self.keepCSV(try CSVTable(bytes, file: path, dialect: reading.dialect))
        }
    }

    /// Takes what columns hold from a file, whose rows are not wanted.
    mutating func readTypes(_ path: String) throws(TaskError) {
        let bytes = try DataFile.text(path)
        let (reading, format) = self.resolved(path)
        self.decidedBy = path
        switch format {
        case .json: self.columns = try self.batches(try self.table(bytes, path), onlyFirst: true).first?.columns
        case .csv:
            let table = try CSVTable(bytes, file: path, dialect: reading.dialect)
            var cells: [[CSVTable.Cell]] = []
            try table.forEachRow { row, _ throws(TaskError) in
                if cells.count < CSVTable.batchRows { cells.append(row) }
            }
            self.columns = self.typed(cells, table).types
        }
    }

    private func resolved(_ path: String) -> (DataReading, DataReading.Format) {
        var reading = self.reading
        var name = path.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        if let format = reading.format { return (reading, format) }
        if name.hasSuffix(".tsv") {
            reading.dialect.separator = UInt8(ascii: "\t")
            return (reading, .csv)
        }
        return (reading, name.hasSuffix(".csv") ? .csv : .json)
    }

    private func table(_ bytes: [UInt8], _ path: String) throws(TaskError) -> JSONTable {
        var name = path.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        return try JSONTable(bytes, file: path, key: self.reading.field, findsList: name.hasSuffix(".json"))
    }

    // MARK: - JSON

    /// Rows that are typed together.
    private struct Batch {
        var rows: Int
        var columns: OrderedDictionary<String, ColumnType>
        /// Arrow could not read them, and ujson did.
        var losesNulls: Bool
    }

    private func batches(_ table: JSONTable, onlyFirst: Bool = false) throws(TaskError) -> [Batch] {
        var batches: [Batch] = []
        var (finder, rows, start) = (TypeFinder(), 0, 0)
        var isUltraJSON = true
        var end = table.batchEnd(from: 0, size: Self.batchBytes)
        func finish() {
            let keepsShapes = isUltraJSON && table.hasRowOnEachLine(in: start..<end, rows: rows)
            let isPandas = self.reading.field != nil
            func columns(findsDates: Bool) -> OrderedDictionary<String, ColumnType> {
                let columns = finder.columns(
                    keepsShapes: keepsShapes, isPandas: isPandas, findsDates: findsDates, isRewritten: table.isList)
                guard !table.isList, columns.values.contains(where: { $0.hasJSON }) else { return columns }
                return finder.columns(
                    keepsShapes: keepsShapes, isPandas: isPandas, findsDates: findsDates, isRewritten: true)
            }
            var batch = Batch(rows: rows, columns: columns(findsDates: true), losesNulls: false)
            if !isPandas, finder.losesNulls(as: .structure(batch.columns)) {
                batch.columns = columns(findsDates: false)
                batch.losesNulls = true
            }
            batches.append(batch)
        }
        try table.forEachRow(large: true) { row throws(TaskError) in
            if onlyFirst, !batches.isEmpty { return }
            if row.offset >= end {
                finish()
                (finder, rows, start) = (TypeFinder(), 0, end)
                isUltraJSON = true
                end = table.batchEnd(from: start, size: Self.batchBytes)
            }
            finder.add(row.value)
            // Larger ones than these ujson can't read, and then nobody looks at the shapes of mappings.
            if let integer = row.largeInteger, UInt64(integer) == nil { isUltraJSON = false }
            rows += 1
            guard finder.columnCount <= DataSet.Limit.columns else {
                throw TaskError(
                    .limitExceeded,
                    "there are more than \(DataSet.Limit.columns) different keys; put what differs from row to row under "
                        + "one key", file: table.file)
            }
        }
        if rows > 0, !onlyFirst || batches.isEmpty { finish() }
        return batches
    }

    private mutating func readJSON(_ table: JSONTable, _ path: String) throws(TaskError) {
        if let key = table.unnamedKey {
            self.notes.append("the rows are those of the field \(key); lm-eval needs field: \(key) in dataset_kwargs")
        }
        guard self.reading.typing == .datasets else { return try self.keepJSON(table) }
        let batches = try self.batches(table)
        if self.columns == nil {
            self.columns = batches.first?.columns ?? [:]
            self.decidedBy = path
        }
        let columns = self.columns ?? [:]
        let isRewritten = table.isList || columns.values.contains { $0.hasJSON }
        var (number, left) = (0, batches.first?.rows ?? 0)
        var isChanged = false
        try table.forEachRow(large: true) { row throws(TaskError) in
            if left == 0 {
                number += 1
                left = batches[number].rows
            }
            left -= 1
            let own = batches[number].columns
            let isDumped = isRewritten || own.values.contains { $0.hasJSON }
            let rewriting: UltraJSON.Rewriting =
                self.reading.field != nil || (isDumped && batches[number].losesNulls)
                ? .loaded : isDumped ? .dumped : batches[number].losesNulls ? .read : .none
            let members: OrderedDictionary<String, JSONValue> =
                if case .object(let members) = row.value { members } else { [:] }
            for key in members.keys where columns[key] == nil {
                throw table.error(self.newColumn(key), at: row.offset)
            }
            var values: OrderedDictionary<String, JSONValue> = [:]
            values.reserveCapacity(columns.count)
            for (key, type) in columns {
                let value = members[key]
                do throws(Misfit) {
                    values[key] = try type.value(of: value ?? .null, from: own[key] ?? .null, rewriting: rewriting)
                } catch {
                    throw table.error(self.misfit(error, key), at: row.offset)
                }
                self.note(key, value.map(PythonText.str), values[key] ?? .null)
            }
            if let integer = row.largeInteger {
                self.note("with an integer beyond 64 bits", integer, Double(integer).map(JSONValue.double) ?? .null)
                isChanged = true
            }
            let typed = JSONValue.object(values)
            // 0.0 and -0.0 are equal.
            if rewriting != .none || row.value != typed { isChanged = true }
            if self.append(typed) { isChanged = true }
        }
        if !isChanged { self.unchanged = table.linesAsTheyAre }
    }

    private mutating func keepJSON(_ table: JSONTable) throws(TaskError) {
        var isChanged = false
        try table.forEachRow(large: false) { row throws(TaskError) in
            guard case .object = row.value else {
                throw table.error("the row is null; it must be an object", at: row.offset)
            }
            if self.append(row.value) { isChanged = true }
        }
        if !isChanged { self.unchanged = table.linesAsTheyAre }
    }

    // MARK: - CSV

    private func typed(
        _ rows: [[CSVTable.Cell]], _ table: CSVTable
    ) -> (types: OrderedDictionary<String, ColumnType>, values: [[JSONValue]]) {
        var types: OrderedDictionary<String, ColumnType> = [:]
        var values: [[JSONValue]] = []
        for (index, column) in table.columns.enumerated() {
            let typed = table.typed(rows.map { $0[index] })
            types[column] = typed.type
            values.append(typed.values)
        }
        return (types, values)
    }

    private mutating func readCSV(_ table: CSVTable, _ path: String) throws(TaskError) {
        var (rows, lines): ([[CSVTable.Cell]], [Int]) = ([], [])
        try table.forEachRow { row, line throws(TaskError) in
            rows.append(row)
            lines.append(line)
            guard rows.count == CSVTable.batchRows else { return }
            try self.append(rows, lines, table, path)
            (rows, lines) = ([], [])
        }
        if !rows.isEmpty { try self.append(rows, lines, table, path) }
    }

    private mutating func append(
        _ rows: [[CSVTable.Cell]], _ lines: [Int], _ table: CSVTable, _ path: String
    ) throws(TaskError) {
        let (own, values) = self.typed(rows, table)
        if self.columns == nil {
            self.columns = own
            self.decidedBy = path
        }
        let columns = self.columns ?? [:]
        for key in table.columns where columns[key] == nil {
            throw TaskError(.invalidData, self.newColumn(key), file: path, line: 1)
        }
        for (row, line) in zip(rows.indices, lines) {
            var members: OrderedDictionary<String, JSONValue> = [:]
            members.reserveCapacity(columns.count)
            for (key, type) in columns {
                let index = own.index(forKey: key)
                do throws(Misfit) {
                    members[key] = try type.value(
                        of: index.map { values[$0][row] } ?? .null, from: own[key] ?? .null, rewriting: .none)
                } catch {
                    throw TaskError(.invalidData, self.misfit(error, key), file: path, line: line)
                }
                let cell = index.flatMap { rows[row][$0] }
                self.note(key, cell.map { String(decoding: $0, as: UTF8.self) }, members[key] ?? .null)
            }
            _ = self.append(.object(members))
        }
    }

    /// Rows whose values print as the cells do: a column is of integers, numbers or booleans only where that is so of every
    /// cell.
    private mutating func keepCSV(_ table: CSVTable) throws(TaskError) {
        let kinds: [(String) -> JSONValue?] = [
            { text in Int(text).map(JSONValue.int) }, { text in Double(text).map(JSONValue.double) },
            { text in ["True": .bool(true), "False": .bool(false)][text] },
        ]
        func value(_ text: String, _ kind: Int) -> JSONValue? {
            kinds[kind](text).flatMap { PythonText.str($0) == text ? $0 : nil }
        }
        var candidates = table.columns.map { _ in Array(kinds.indices) }
        try table.forEachRow { row, _ throws(TaskError) in
            for (index, cell) in row.enumerated() where !candidates[index].isEmpty {
                guard let cell else { continue }
                let text = String(decoding: cell, as: UTF8.self)
                candidates[index].removeAll { value(text, $0) == nil }
            }
        }
        try table.forEachRow { row, _ throws(TaskError) in
            var members: OrderedDictionary<String, JSONValue> = [:]
            for (index, cell) in row.enumerated() {
                let text = cell.map { String(decoding: $0, as: UTF8.self) }
                members[table.columns[index]] =
                    text.map { text in candidates[index].first.flatMap { value(text, $0) } ?? .string(text) } ?? .null
            }
            _ = self.append(.object(members))
        }
    }

    // MARK: - Rows and notes

    /// - Returns: Whether the row is stored in another way than it is written.
    private mutating func append(_ row: JSONValue) -> Bool {
        let stored = row.stored
        stored.write(to: &self.jsonl, sortingKeys: false)
        self.jsonl.append(UInt8(ascii: "\n"))
        self.rowCount += 1
        return stored != row
    }

    /// Remembers a column's first value that does not print as in the file.
    private mutating func note(_ column: String, _ text: String?, _ value: JSONValue) {
        guard self.noted.count <= Self.notedColumns, !self.noted.contains(column) else { return }
        let printed = PythonText.str(value)
        guard text.map({ !PythonText.equal($0, printed) }) ?? true else { return }
        self.noted.append(column)
        guard self.noted.count <= Self.notedColumns else { return }
        let found = text.map { "\"\(Self.shortened($0))\"" } ?? "nothing"
        self.notes.append(
            "column \(Self.shortened(column)): row \(self.rowCount) has \(found), which is read as "
                + "\(Self.shortened(printed)), as in lm-eval")
    }

    private static func shortened(_ text: String) -> String {
        text.count <= 60 ? text : text.prefix(60) + "..."
    }

    private func newColumn(_ key: String) -> String {
        "the column \(Self.shortened(key)) is not in the first rows of \(self.decidedBy), where columns are decided as in "
            + "lm-eval; add it there, or keep the file's values with dataset_kwargs: {typing: verbatim}"
    }

    private func misfit(_ misfit: Misfit, _ column: String) -> String {
        "column \(Self.shortened(column + misfit.path)): \(Self.shortened(misfit.value.text())) does not fit, since the "
            + "column is \(misfit.wanted.name) in the first rows of \(self.decidedBy), where columns are decided as in "
            + "lm-eval; make them alike, or keep the file's values with dataset_kwargs: {typing: verbatim}"
    }
}
