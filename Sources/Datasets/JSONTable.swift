internal import Evaluation
internal import JSON
internal import OrderedCollections
internal import PythonCompat

/// The rows of a JSON file: objects one after the other (JSON Lines), a list of objects, or such a list under a key.
///
/// Only one row at a time is turned into values; the file may be large.
struct JSONTable {
    private enum Form {
        /// From the first byte to the last.
        case objects
        /// The list that begins at this byte.
        case list(Int)
    }

    private static let example = "objects, one a line, or a list of objects such as [{\"question\": \"...\"}]"

    private let scanner: JSONScanner
    private let form: Form
    /// The list is a member of an object.
    private let isInObject: Bool
    /// The key of a list that was found without being named.
    let unnamedKey: String?

    /// - Parameters:
    ///   - key: The member that has the rows, of the one object that the file is.
    ///   - findsList: Without a key, the one list of objects in a file that is one object has the rows.
    init(_ bytes: [UInt8], file: String, key: String? = nil, findsList: Bool = false) throws(TaskError) {
        self.scanner = JSONScanner(bytes, file: file)
        var scanner = self.scanner
        var unnamedKey: String?
        switch (scanner.next(), key) {
        case (nil, _): throw scanner.error("the file is empty; it must be \(Self.example)")
        case (UInt8(ascii: "{"), let key?): self.form = .list(try Self.list(of: key, &scanner))
        case (_, let key?): throw scanner.error("the file is no object, so it has no field \(key)")
        case (UInt8(ascii: "["), nil): self.form = .list(scanner.position)
        case (UInt8(ascii: "{"), nil) where findsList && Self.isOneObject(scanner):
            let list = try Self.onlyList(&scanner)
            unnamedKey = list.key
            self.form = .list(list.start)
        case (UInt8(ascii: "{"), nil), (UInt8(ascii: "n"), nil): self.form = .objects
        default: throw scanner.error("the file must be \(Self.example)")
        }
        self.unnamedKey = unnamedKey
        self.isInObject = unnamedKey != nil || key != nil
    }

    /// Whether the rows are in a list.
    var isList: Bool { if case .list = self.form { true } else { false } }

    /// Where the bytes that `datasets` reads in one go end that begin at `start`: after a line.
    func batchEnd(from start: Int, size: Int) -> Int {
        if self.isList { return .max }
        let bytes = self.scanner.bytes
        guard bytes.count - start > size else { return .max }
        return bytes[(start + size)...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? .max
    }

    /// Whether every line is one row, and no line is empty; only then does `datasets` look for mappings of different keys.
    func hasRowOnEachLine(in range: Range<Int>, rows: Int) -> Bool {
        if self.isList { return true }
        let bytes = self.scanner.bytes
        var lines = 0
        var isEmpty = true
        var position = range.lowerBound
        let end = min(range.upperBound, bytes.count)
        while position < end {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if byte == UInt8(ascii: "\r"), position < end, bytes[position] == UInt8(ascii: "\n") { position += 1 }
                if isEmpty { return false }
                lines += 1
                isEmpty = true
            } else if byte != 0x20, byte != 0x09 {
                isEmpty = false
            }
        }
        return lines + (isEmpty ? 0 : 1) == rows
    }

    /// Goes through the rows in order.
    ///
    /// - Parameters:
    ///   - large: Integers beyond 64 bits are doubles; else they are refused.
    ///   - body: Takes a row.
    func forEachRow(large: Bool, _ body: (Row) throws(TaskError) -> Void) throws(TaskError) {
        var scanner = self.scanner
        // Of a key that is there twice ujson reads the last one in a list, and Arrow none in a line.
        let leniency: JSONValue.Leniency =
            self.isList ? [.numbersThatAreNotFinite, .repeatedKeys] : [.numbersThatAreNotFinite]
        switch self.form {
        case .objects:
            while scanner.next() != nil {
                try body(try Self.row(try scanner.value(), scanner, leniency, large: large))
            }
        case .list(let start):
            scanner.position = start + 1
            let column: String? = scanner.next() == UInt8(ascii: "{") ? nil : "text"
            try scanner.items(until: UInt8(ascii: "]")) { scanner throws(TaskError) in
                try body(try Self.row(try scanner.value(), scanner, leniency, large: large, column: column))
            }
            // An object around it was gone through before.
            if !self.isInObject { try Self.finish(&scanner) }
        }
    }

    var file: String { self.scanner.file }

    /// The file, if it is JSON Lines as rows are stored; the last line may lack its end.
    var linesAsTheyAre: [UInt8]? {
        let bytes = self.scanner.bytes
        guard !self.isList else { return nil }
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            var scanner = self.scanner
            scanner.position = start
            if let next = scanner.next(), scanner.position < end {
                guard next == UInt8(ascii: "{"), let row = try? scanner.value(), row.upperBound <= end else {
                    return nil
                }
                _ = scanner.next()
                guard scanner.position >= end else { return nil }
            }
            start = end + 1
        }
        return bytes
    }

    /// An error at a byte.
    func error(_ message: String, at offset: Int) -> TaskError { self.scanner.error(message, at: offset) }

    /// A row as it stands in the file.
    struct Row {
        /// An object or null.
        var value: JSONValue
        /// The byte at which it begins.
        var offset: Int
        /// The first integer beyond 64 bits in it, for which a double stands.
        var largeInteger: String?
    }

    private static func row(
        _ range: Range<Int>, _ scanner: JSONScanner, _ leniency: JSONValue.Leniency, large: Bool, column: String? = nil
    ) throws(TaskError) -> Row {
        guard range.count <= DataSet.Limit.rowBytes else {
            var error = scanner.error("the row is longer than 16 MiB", at: range.lowerBound)
            error.code = .limitExceeded
            throw error
        }
        let value: JSONValue
        var largeInteger: String?
        do throws(JSONError) {
            value = try JSONValue.parse(scanner.bytes[range], leniency)
        } catch {
            guard large, error.isLargeInteger,
                let lenient = try? JSONValue.parse(scanner.bytes[range], leniency.union(.largeIntegers))
            else {
                let what = "the row is not valid JSON: \(error.message)"
                throw scanner.error(what, at: range.lowerBound + error.offset)
            }
            value = lenient
            let digits = scanner.bytes[(range.lowerBound + error.offset)...].prefix {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
            }
            largeInteger = String(decoding: digits, as: UTF8.self)
        }
        // A list of texts is a column "text".
        if let column {
            return Row(value: .object([column: value]), offset: range.lowerBound, largeInteger: largeInteger)
        }
        switch value {
        case .object, .null: return Row(value: value, offset: range.lowerBound, largeInteger: largeInteger)
        default:
            throw scanner.error(
                "the row is \(value.kind); it must be an object such as {\"question\": \"...\"}", at: range.lowerBound)
        }
    }

    /// Whether the object that begins here is all that there is, and does not end on its first line with more after it.
    private static func isOneObject(_ scanner: JSONScanner) -> Bool {
        var scanner = scanner
        guard (try? scanner.value()) != nil else { return true }
        return scanner.next() == nil
    }

    /// Where the list begins that is a key's value in the object that begins here.
    private static func list(of key: String, _ scanner: inout JSONScanner) throws(TaskError) -> Int {
        var (keys, found): ([String], Range<Int>?) = ([], nil)
        let start = scanner.position
        scanner.position += 1
        try scanner.items(until: UInt8(ascii: "}")) { scanner throws(TaskError) in
            let (name, value) = try self.member(&scanner)
            keys.append("\"\(name)\"")
            if PythonText.equal(name, key) { found = value }
        }
        try self.finish(&scanner)
        guard let found else {
            throw scanner.error("the object has no field \"\(key)\"; its keys are \(self.listed(keys))", at: start)
        }
        guard scanner.bytes[found.lowerBound] == UInt8(ascii: "[") else {
            throw scanner.error("the field \"\(key)\" is no list of objects", at: found.lowerBound)
        }
        return found.lowerBound
    }

    /// The one list of objects in the object that begins here.
    private static func onlyList(_ scanner: inout JSONScanner) throws(TaskError) -> (key: String, start: Int) {
        var (keys, lists): ([String], [(key: String, start: Int)]) = ([], [])
        let start = scanner.position
        scanner.position += 1
        try scanner.items(until: UInt8(ascii: "}")) { scanner throws(TaskError) in
            let (key, value) = try self.member(&scanner)
            keys.append("\"\(key)\"")
            var inner = scanner
            inner.position = value.lowerBound
            if inner.take(UInt8(ascii: "[")), inner.next() == UInt8(ascii: "{") {
                lists.append((key, value.lowerBound))
            }
        }
        try self.finish(&scanner)
        guard let list = lists.first, lists.count == 1 else {
            let found =
                lists.isEmpty
                ? "no list of objects; its keys are \(self.listed(keys))"
                : "several lists of objects, \(self.listed(lists.map { "\"\($0.key)\"" })); name one in field"
            throw scanner.error("the object has \(found) (JSON Lines belong into a file .jsonl)", at: start)
        }
        return list
    }

    private static func member(_ scanner: inout JSONScanner) throws(TaskError) -> (String, Range<Int>) {
        let range = try scanner.value()
        guard case .string(let key)? = try? JSONValue.parse(scanner.bytes[range]) else {
            throw scanner.error("a key in double quotes is expected here", at: range.lowerBound)
        }
        guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error("a colon is expected here") }
        return (String(key.prefix(100)), try scanner.value())
    }

    private static func finish(_ scanner: inout JSONScanner) throws(TaskError) {
        guard scanner.next() == nil else { throw scanner.error("there is more text after the value") }
    }

    private static func listed(_ keys: [String]) -> String {
        keys.prefix(10).joined(separator: ", ") + (keys.count > 10 ? ", ..." : "")
    }
}

/// Finds where JSON values begin and end without making values of them; who uses a value checks it.
struct JSONScanner {
    let bytes: [UInt8]
    let file: String
    var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        // A byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self.position = 3 }
    }

    /// The next byte that is no white space, which is not taken.
    mutating func next() -> UInt8? {
        while self.position < self.bytes.count {
            switch self.bytes[self.position] {
            case 0x20, 0x09, 0x0A, 0x0D: self.position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard self.next() == byte else { return false }
        self.position += 1
        return true
    }

    /// Goes behind the value that begins here, and answers its bytes.
    mutating func value() throws(TaskError) -> Range<Int> {
        guard let first = self.next() else { throw self.error("the text ends where a value is expected") }
        let start = self.position
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): try self.skipContainer()
        case UInt8(ascii: "\""): try self.skipString()
        default:
            while self.position < self.bytes.count, !Self.endsScalar(self.bytes[self.position]) { self.position += 1 }
        }
        guard self.position > start else { throw self.error("a value is expected here") }
        return start..<self.position
    }

    /// Goes through members or items from behind the opening bracket to behind the closing one.
    mutating func items(
        until end: UInt8, _ item: (inout JSONScanner) throws(TaskError) -> Void
    ) throws(TaskError) {
        if self.take(end) { return }
        repeat { try item(&self) } while self.take(UInt8(ascii: ","))
        guard self.take(end) else {
            throw self.error("a comma or \(Character(Unicode.Scalar(end))) is expected here")
        }
    }

    /// What is wrong at a byte, by default the next one.
    func error(_ message: String, at offset: Int? = nil) -> TaskError {
        let before = self.bytes[..<min(offset ?? self.position, self.bytes.count)]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return TaskError(
            .invalidData, message, file: self.file, line: line, column: before.endIndex - lineStart + 1)
    }

    /// Counts brackets whatever their shape.
    private mutating func skipContainer() throws(TaskError) {
        let start = self.position
        var depth = 0
        while self.position < self.bytes.count {
            switch self.bytes[self.position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                try self.skipString()
                continue
            default: break
            }
            self.position += 1
            if depth == 0 { return }
        }
        throw self.error("this \(Character(Unicode.Scalar(self.bytes[start]))) is not closed", at: start)
    }

    private mutating func skipString() throws(TaskError) {
        let start = self.position
        self.position += 1
        while self.position < self.bytes.count {
            switch self.bytes[self.position] {
            case UInt8(ascii: "\\"): self.position += 2
            case UInt8(ascii: "\""):
                self.position += 1
                return
            default: self.position += 1
            }
        }
        throw self.error("this string is not closed", at: start)
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(byte)
    }
}
