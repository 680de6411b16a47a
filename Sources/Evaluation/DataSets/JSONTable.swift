/// A JSON file that is a list of objects, or an object with one list of objects in it: `{"version": 1, "data": [...]}`.
///
/// Only one row at a time is turned into values; the file may be large.
struct JSONTable {
    private static let example = "a list of objects such as [{\"question\": \"...\"}]"

    private var scanner: JSONScanner

    init(_ bytes: [UInt8], file: String) { self.scanner = JSONScanner(bytes, file: file) }

    /// Whether the file is JSON Lines whatever its name: its first line is an object, and more follows.
    var isJSONLines: Bool {
        var scanner = self.scanner
        guard scanner.next() == UInt8(ascii: "{"),
            let end = scanner.bytes[scanner.position...].firstIndex(of: UInt8(ascii: "\n")),
            (try? JSONValue.parse(scanner.bytes[scanner.position..<end])) != nil
        else { return false }
        scanner.position = end
        return scanner.next() != nil
    }

    /// One JSON object a line, with the keys in their order.
    func jsonl() throws(TaskError) -> [UInt8] {
        var scanner = self.scanner
        switch scanner.next() {
        case UInt8(ascii: "["): return try Self.rows(&scanner)
        case UInt8(ascii: "{"):
            let list = try Self.onlyList(&scanner)
            // The object's end was checked.
            return try Self.rows(&scanner, in: list)
        case nil: throw scanner.error("the file is empty; it must be \(Self.example)")
        default: throw scanner.error("the file must be \(Self.example)")
        }
    }

    private static func rows(_ scanner: inout JSONScanner) throws(TaskError) -> [UInt8] {
        let rows = try self.rows(&scanner, in: scanner.position)
        try self.finish(&scanner)
        return rows
    }

    /// The rows of the list that begins at `start`, one a line.
    private static func rows(_ scanner: inout JSONScanner, in start: Int) throws(TaskError) -> [UInt8] {
        var rows: [UInt8] = []
        scanner.position = start + 1
        try scanner.items(until: UInt8(ascii: "]")) { scanner throws(TaskError) in
            let row = try self.row(try scanner.value(), scanner)
            row.write(to: &rows, sortingKeys: false)
            rows.append(UInt8(ascii: "\n"))
        }
        return rows
    }

    private static func row(_ range: Range<Int>, _ scanner: JSONScanner) throws(TaskError) -> JSONValue {
        guard range.count <= DataSet.Limit.rowBytes else {
            var error = scanner.error("the row is longer than 16 MiB", at: range.lowerBound)
            error.code = .limitExceeded
            throw error
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(scanner.bytes[range])
        } catch {
            throw scanner.error("the row is not valid JSON: \(error.message)", at: range.lowerBound + error.offset)
        }
        guard case .object = value else {
            throw scanner.error(
                "the row is \(value.kind); it must be an object such as {\"question\": \"...\"}", at: range.lowerBound)
        }
        return value
    }

    /// Where the one list of objects begins in the object that begins here.
    private static func onlyList(_ scanner: inout JSONScanner) throws(TaskError) -> Int {
        var (keys, lists): ([String], [(key: String, start: Int)]) = ([], [])
        let start = scanner.position
        scanner.position += 1
        try scanner.items(until: UInt8(ascii: "}")) { scanner throws(TaskError) in
            let key = try self.key(&scanner)
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error("a colon should stand here") }
            let value = try scanner.value()
            keys.append(key)
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
                : "several lists of objects, \(self.listed(lists.map(\.key))); make a file of each"
            throw scanner.error("the object has \(found) (JSON Lines belong into a file .jsonl)", at: start)
        }
        return list.start
    }

    /// A key as it is written, in quotes.
    private static func key(_ scanner: inout JSONScanner) throws(TaskError) -> String {
        let range = try scanner.value()
        guard case .string? = try? JSONValue.parse(scanner.bytes[range]) else {
            throw scanner.error("a key in double quotes should stand here", at: range.lowerBound)
        }
        return String(decoding: scanner.bytes[range].prefix(100), as: UTF8.self)
    }

    private static func finish(_ scanner: inout JSONScanner) throws(TaskError) {
        guard scanner.next() == nil else { throw scanner.error("there is more text after the value") }
    }

    private static func listed(_ keys: [String]) -> String {
        keys.prefix(10).joined(separator: ", ") + (keys.count > 10 ? ", ..." : "")
    }
}
