internal import Crypto
public import Evaluation
internal import Files
public import JSON
internal import OrderedCollections
internal import PythonCompat

/// The rows of a data set, as JSON Lines with an index.
///
/// A JSON Lines file of which typing changes nothing is kept byte for byte; of others new lines are written, in which a date
/// stands as {"$datetime":"1969-07-20 00:00:00"}. Rows are checked on loading, and any range of them can be read without
/// parsing the others.
public struct DataSet: Sendable {
    /// Limits of what is read; data sets are not trusted.
    enum Limit {
        static let fileBytes = 4 << 30
        static let rowBytes = 16 << 20
        static let rows = 100_000_000
        static let columns = 10_000
    }

    /// What is stored and hashed: one JSON object a line.
    public let jsonl: [UInt8]
    /// The sha256 of `jsonl`, 64 hexadecimal digits.
    public let sha256: String
    /// The file as the caller named it, for messages.
    public let file: String
    /// What typing changed of the file, to be told to its author; nothing for rows from the store.
    public let notes: [String]
    /// The byte range of each row.
    private let rows: [Range<Int>]
    /// Whether samples are called as the column `id` says.
    private let hasNames: Bool

    public var rowCount: Int { self.rows.count }

    /// Takes JSON Lines; empty lines are skipped.
    ///
    /// - Throws: `TaskError` with file and line if a row is no JSON object.
    public init(jsonl: [UInt8], file: String = "") throws(TaskError) {
        try self.init(jsonl: jsonl, file: file, notes: [])
    }

    public init(jsonl: [UInt8], file: String, notes: [String]) throws(TaskError) {
        var notes = notes
        var ids = SampleIDs()
        var rows: [Range<Int>] = []
        var start = 0
        var line = 0
        while start < jsonl.count {
            let end = jsonl[start...].firstIndex(of: UInt8(ascii: "\n")) ?? jsonl.count
            line += 1
            let bytes = jsonl[start..<end]
            if bytes.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
                let row = Document(row: rows.count, value: try Self.checked(bytes, file: file, line: line))
                ids.add(row)
                rows.append(start..<end)
            }
            start = end + 1
        }
        guard !rows.isEmpty else {
            throw TaskError(.invalidData, "the data set has no rows; one JSON object a line is needed", file: file)
        }
        guard rows.count <= Limit.rows else {
            throw TaskError(.limitExceeded, "the data set has more than \(Limit.rows) rows", file: file)
        }
        if let problem = ids.problem() { notes.append(problem) }
        self.jsonl = jsonl
        self.file = file
        self.notes = notes
        self.rows = rows
        self.hasNames = ids.areNames
        self.sha256 = SHA256.text(of: jsonl)
    }

    private static func checked(
        _ bytes: ArraySlice<UInt8>, file: String, line: Int
    ) throws(TaskError) -> JSONValue {
        guard bytes.count <= Limit.rowBytes else {
            throw TaskError(.limitExceeded, "the row is longer than 16 MiB", file: file, line: line)
        }
        do {
            let value = try JSONValue.parseStored(bytes)
            guard case .object = value else {
                throw TaskError(
                    .invalidData, "a row must be a JSON object such as {\"question\": \"...\"}", file: file, line: line)
            }
            return value
        } catch let error as JSONError {
            throw TaskError(
                .invalidData, "the row is not valid JSON: \(error.message)", file: file, line: line,
                column: error.offset + 1)
        } catch let error as TaskError {
            throw error
        } catch {
            throw TaskError(.invalidData, "\(error)", file: file, line: line)
        }
    }

    /// One row.
    public func document(at row: Int) throws(TaskError) -> Document {
        guard self.rows.indices.contains(row) else {
            throw TaskError(.invalidData, "there is no row \(row); the data set has \(self.rowCount)", file: self.file)
        }
        do throws(JSONError) {
            var document = Document(row: row, value: try JSONValue.parseStored(self.jsonl[self.rows[row]]))
            document.isNamed = self.hasNames
            return document
        } catch {
            throw TaskError(.invalidData, "row \(row) is not valid JSON: \(error.message)", file: self.file)
        }
    }

    /// The rows of a range, in order; the range is cut to the rows that exist.
    public func documents(in range: Range<Int>) throws(TaskError) -> [Document] {
        var documents: [Document] = []
        for row in range.clamped(to: 0..<self.rowCount) { documents.append(try self.document(at: row)) }
        return documents
    }
}

extension DataSet {
    /// The names of all columns, in the order in which the rows have them first.
    ///
    /// - Throws: `TaskError` where the rows have so few keys in common that they are no columns.
    public func columns() throws(TaskError) -> [String] {
        var columns: OrderedSet<String> = []
        for row in 0..<self.rowCount {
            guard case .object(let members) = try self.document(at: row).value else { continue }
            columns.formUnion(members.keys)
            guard columns.count <= Limit.columns else {
                throw TaskError(
                    .limitExceeded,
                    "up to row \(row) (from 0) there are more than \(Limit.columns) different keys; put what differs "
                        + "from row to row under one key", file: self.file)
            }
        }
        return Array(columns)
    }
}

/// One row of a data set.
public struct Document: Sendable, Hashable {
    /// The row's number in the data set, from 0.
    public var row: Int
    /// A JSON object: column -> value.
    public var value: JSONValue
    /// The data set's column `id` says what samples are called: no two rows have the same, and none has an odd one.
    var isNamed = true

    public init(row: Int, value: JSONValue) {
        self.row = row
        self.value = value
    }

    /// What the sample is called: the column `id` where it names every row that has one, else the row's number.
    public var sampleID: String { (self.isNamed ? self.name : nil) ?? String(self.row) }

    /// What the column `id` says; `nil` where it says nothing that a sample can be called.
    var name: String? {
        switch self.value["id"] {
        case .string(let text)? where !text.isEmpty && text.utf8.count <= 512: text
        case .int?, .double?, .bool?, .date?: self.value["id"].map(PythonText.str)
        default: nil
        }
    }

    /// Whether the column `id` holds something, but nothing that a sample can be called.
    var hasOddID: Bool {
        switch self.value["id"] {
        case nil, .null?: false
        default: self.name == nil
        }
    }
}

/// Finds whether the column `id` can name the samples of a data set.
struct SampleIDs {
    private var names: Set<[UInt8]> = []
    private var unnamed: [Int] = []
    private var reason: String?

    /// Whether nothing speaks against the ids; final once `problem` was asked.
    var areNames: Bool { self.reason == nil }

    mutating func add(_ document: Document) {
        guard self.reason == nil else { return }
        if document.hasOddID {
            self.reason = "row \(document.row) has \(document.value["id"]?.kind ?? "nothing") there"
        } else if let name = document.name {
            if !self.names.insert(Array(name.utf8)).inserted { self.repeated(name, document.row) }
        } else {
            self.unnamed.append(document.row)
        }
    }

    /// What to tell of ids that name nothing; `nil` if they do, or there are none.
    mutating func problem() -> String? {
        if !self.names.isEmpty, let row = self.unnamed.first(where: { self.names.contains(Array(String($0).utf8)) }) {
            self.repeated(String(row), row)
        }
        return self.reason.map {
            "samples are called by their row numbers, not by the column id: \($0) (an id is a text of up to 512 bytes or a "
                + "number, and no two are the same)"
        }
    }

    private mutating func repeated(_ name: String, _ row: Int) {
        self.reason = "row \(row) is called \"\(name.prefix(40))\" as another one is"
    }
}
