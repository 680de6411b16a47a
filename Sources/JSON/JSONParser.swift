internal import OrderedCollections

/// What is wrong with a JSON text, and at which byte.
public struct JSONError: Error, Hashable {
    public var message: String
    public var offset: Int
    /// It is an integer that has no room in 64 bits.
    public var isLargeInteger: Bool

    public init(message: String, offset: Int, isLargeInteger: Bool = false) {
        self.message = message
        self.offset = offset
        self.isLargeInteger = isLargeInteger
    }
}

extension JSONValue {
    /// Parses one JSON value that fills `bytes`; strict RFC 8259, nested at most 64 deep, no repeated keys.
    ///
    /// Integers beyond 64 bits and numbers that overflow are errors: nothing is rounded silently.
    public static func parse(_ bytes: some Sequence<UInt8>) throws(JSONError) -> JSONValue {
        try self.parse(bytes, .strict)
    }

    /// Reads a value's stored form.
    public static func parseStored(_ bytes: some Sequence<UInt8>) throws(JSONError) -> JSONValue {
        let bytes = Array(bytes)
        let value = try self.parse(bytes, [.numbersThatAreNotFinite])
        // Few rows have a $, and a date is stored with one.
        return bytes.contains(UInt8(ascii: "$")) ? value.restored : value
    }

    /// What is read although RFC 8259 has it otherwise.
    public struct Leniency: OptionSet, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        public static let strict: Leniency = []
        /// NaN, Infinity and -Infinity, as Python writes them.
        public static let numbersThatAreNotFinite = Leniency(rawValue: 1)
        /// An integer beyond 64 bits is the nearest double.
        public static let largeIntegers = Leniency(rawValue: 2)
        /// Of a key that is there twice the last value counts.
        public static let repeatedKeys = Leniency(rawValue: 4)
    }

    /// Parses one JSON value that fills `bytes`.
    public static func parse(_ bytes: some Sequence<UInt8>, _ leniency: Leniency) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: Array(bytes), leniency: leniency)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == parser.bytes.count else {
            throw parser.error("there is more text after the value")
        }
        return value
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let leniency: JSONValue.Leniency
    var position = 0

    init(bytes: [UInt8], leniency: JSONValue.Leniency) {
        self.bytes = bytes
        self.leniency = leniency
    }

    func error(_ message: String) -> JSONError { JSONError(message: message, offset: self.position) }

    var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    mutating func skipSpace() {
        while let byte = self.next, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { self.position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard self.next == byte else { return false }
        self.position += 1
        return true
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= 64 else { throw self.error("the value is nested more than 64 deep") }
        self.skipSpace()
        guard let next = self.next else { throw self.error("the text ends where a value is expected") }
        switch next {
        case UInt8(ascii: "{"): return try self.object(depth: depth)
        case UInt8(ascii: "["): return try self.array(depth: depth)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        case UInt8(ascii: "N") where self.leniency.contains(.numbersThatAreNotFinite):
            return try self.word("NaN", .double(.nan))
        case UInt8(ascii: "I") where self.leniency.contains(.numbersThatAreNotFinite):
            return try self.word("Infinity", .double(.infinity))
        case UInt8(ascii: "-")
        where self.leniency.contains(.numbersThatAreNotFinite)
            && self.bytes[(self.position + 1)...].first == UInt8(ascii: "I"):
            return try self.word("-Infinity", .double(-.infinity))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try self.number()
        default: throw self.error("no JSON value starts like this")
        }
    }

    mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard self.bytes[self.position...].starts(with: word.utf8) else {
            throw self.error("no JSON value starts like this")
        }
        self.position += word.utf8.count
        return value
    }

    mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        self.position += 1
        var members: OrderedDictionary<String, JSONValue> = [:]
        self.skipSpace()
        if self.take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            self.skipSpace()
            guard self.next == UInt8(ascii: "\"") else { throw self.error("a key in double quotes is expected here") }
            let start = self.position
            let key = try self.string()
            guard members[key] == nil || self.leniency.contains(.repeatedKeys) else {
                throw JSONError(message: "the key \"\(key)\" is there twice", offset: start)
            }
            self.skipSpace()
            guard self.take(UInt8(ascii: ":")) else { throw self.error("a colon is expected here") }
            members[key] = try self.value(depth: depth + 1)
            self.skipSpace()
            if self.take(UInt8(ascii: "}")) { return .object(members) }
            guard self.take(UInt8(ascii: ",")) else { throw self.error("a comma or } is expected here") }
        }
    }

    mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        self.position += 1
        var items: [JSONValue] = []
        self.skipSpace()
        if self.take(UInt8(ascii: "]")) { return .array(items) }
        while true {
            items.append(try self.value(depth: depth + 1))
            self.skipSpace()
            if self.take(UInt8(ascii: "]")) { return .array(items) }
            guard self.take(UInt8(ascii: ",")) else { throw self.error("a comma or ] is expected here") }
        }
    }

    mutating func number() throws(JSONError) -> JSONValue {
        let start = self.position
        _ = self.take(UInt8(ascii: "-"))
        let firstDigit = self.position
        try self.digits()
        if self.bytes[firstDigit] == UInt8(ascii: "0"), self.position > firstDigit + 1 {
            throw JSONError(message: "a number can't start with 0", offset: start)
        }
        var isInteger = true
        if self.take(UInt8(ascii: ".")) {
            isInteger = false
            try self.digits()
        }
        if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
            isInteger = false
            if !self.take(UInt8(ascii: "+")) { _ = self.take(UInt8(ascii: "-")) }
            try self.digits()
        }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        if isInteger {
            guard let number = Int(text) else {
                if self.leniency.contains(.largeIntegers), let number = Double(text), number.isFinite {
                    return .double(number)
                }
                throw JSONError(
                    message: "the integer \(text.prefix(40)) does not fit in 64 bits", offset: start,
                    isLargeInteger: true)
            }
            return .int(number)
        }
        guard let number = Double(text), number.isFinite else {
            throw JSONError(message: "the number \(text.prefix(40)) is out of range", offset: start)
        }
        return .double(number)
    }

    mutating func digits() throws(JSONError) {
        let start = self.position
        while let byte = self.next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { self.position += 1 }
        guard self.position > start else { throw self.error("a digit is expected here") }
    }

    mutating func string() throws(JSONError) -> String {
        self.position += 1
        // What stood before the last escape, and where the bytes after it begin.
        var text: [UInt8] = []
        var start = self.position
        while true {
            guard let byte = self.next else { throw self.error("the string has no closing quote") }
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                let rest = start..<self.position - 1
                if text.isEmpty { return try self.text(self.bytes.span.extracting(rest)) }
                text.append(contentsOf: self.bytes[rest])
                return try self.text(text.span)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: self.bytes[start..<self.position - 1])
                try self.escape(into: &text)
                start = self.position
            case 0..<0x20: throw self.error("a control character must be written as an escape")
            default: break
            }
        }
    }

    private func text(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        guard let text = try? UTF8Span(validating: bytes) else { throw self.error("the string is not valid UTF-8") }
        return String(copying: text)
    }

    mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = self.next else { throw self.error("the string has no closing quote") }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try self.hexadecimal())
            if (0xD800..<0xDC00).contains(code) {
                guard self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")) else {
                    throw self.error("half of a surrogate pair is missing")
                }
                let low = UInt32(try self.hexadecimal())
                guard (0xDC00..<0xE000).contains(low) else { throw self.error("half of a surrogate pair is missing") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw self.error("half of a surrogate pair is missing") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw self.error("there is no such escape")
        }
    }

    mutating func hexadecimal() throws(JSONError) -> UInt16 {
        let end = self.position + 4
        guard end <= self.bytes.count else { throw self.error("four hexadecimal digits are expected here") }
        var code: UInt16 = 0
        while self.position < end {
            guard let digit = Character(Unicode.Scalar(self.bytes[self.position])).hexDigitValue else {
                throw self.error("four hexadecimal digits are expected here")
            }
            code = code << 4 | UInt16(digit)
            self.position += 1
        }
        return code
    }
}
