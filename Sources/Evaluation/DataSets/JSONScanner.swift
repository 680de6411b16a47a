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
        guard let first = self.next() else { throw self.error("the text ends where a value should stand") }
        let start = self.position
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): try self.skipContainer()
        case UInt8(ascii: "\""): try self.skipString()
        default:
            while self.position < self.bytes.count, !Self.endsScalar(self.bytes[self.position]) { self.position += 1 }
        }
        guard self.position > start else { throw self.error("a value should stand here") }
        return start..<self.position
    }

    /// Goes through members or items from behind the opening bracket to behind the closing one.
    mutating func items(
        until end: UInt8, _ item: (inout JSONScanner) throws(TaskError) -> Void
    ) throws(TaskError) {
        if self.take(end) { return }
        repeat { try item(&self) } while self.take(UInt8(ascii: ","))
        guard self.take(end) else {
            throw self.error("a comma or \(Character(Unicode.Scalar(end))) should stand here")
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
