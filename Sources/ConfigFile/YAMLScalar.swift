internal import FoundationEssentials
internal import JSON
internal import PythonCompat

/// A scalar of a task file as PyYAML's SafeLoader reads it: YAML 1.1, in which `no` is false, 010 is 8 and 1:30 is 90.
enum YAMLScalar {
    private static let standard = "tag:yaml.org,2002:"

    /// The tag that a plain scalar has.
    static func tag(of text: String) -> String {
        let bytes = Array(text.utf8)
        let name =
            switch text {
            case "", "~", "null", "Null", "NULL": "null"
            case "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On",
                "ON", "off", "Off", "OFF":
                "bool"
            case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
                "float"
            default:
                self.isInteger(bytes) ? "int" : self.isFloat(bytes) ? "float" : self.isTime(bytes) ? "timestamp" : "str"
            }
        return self.standard + name
    }

    /// The value of a scalar; integers beyond 64 bits and bytes are texts as Python prints them.
    ///
    /// - Returns: `nil` for what Python refuses, such as `!!int x` or the 13th month.
    static func value(_ text: String, tag: String) -> JSONValue? {
        switch tag.hasPrefix(self.standard) ? String(tag.dropFirst(self.standard.count)) : "" {
        case "str", "value", "merge": .string(text)
        case "null": .null
        case "bool":
            switch text.lowercased() {
            case "yes", "true", "on": .bool(true)
            case "no", "false", "off": .bool(false)
            default: nil
            }
        case "int": self.integer(text)
        case "float": self.float(text)
        case "timestamp": self.time(Array(text.utf8)).map(JSONValue.date)
        case "binary": self.binary(text)
        default: nil
        }
    }

    // MARK: - What plain scalars are

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func unsigned(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? bytes.dropFirst() : bytes[...]
    }

    /// `:mm` once or more, each a number below 60 of one or two digits; what follows is left.
    private static func takeSixties(_ rest: inout ArraySlice<UInt8>) -> Bool {
        var count = 0
        while rest.first == UInt8(ascii: ":") {
            let digits = rest.dropFirst().prefix(while: self.isDigit)
            guard let first = digits.first, digits.count == 1 || (digits.count == 2 && first < UInt8(ascii: "6")) else {
                return false
            }
            rest = rest.dropFirst(1 + digits.count)
            count += 1
        }
        return count > 0
    }

    private static func isInteger(_ bytes: [UInt8]) -> Bool {
        var rest = self.unsigned(bytes)
        func isDigitOrUnderscore(_ byte: UInt8) -> Bool { self.isDigit(byte) || byte == UInt8(ascii: "_") }
        guard let first = rest.first, self.isDigit(first) else { return false }
        if first == UInt8(ascii: "0") {
            guard rest.count > 1 else { return true }
            let digits = rest.dropFirst(2)
            switch rest[rest.startIndex + 1] {
            case UInt8(ascii: "b"):
                return !digits.isEmpty && digits.allSatisfy { (0x30...0x31).contains($0) || $0 == UInt8(ascii: "_") }
            case UInt8(ascii: "x"):
                return !digits.isEmpty
                    && digits.allSatisfy { isDigitOrUnderscore($0) || (0x61...0x66).contains($0 | 0x20) }
            default: return rest.dropFirst().allSatisfy { (0x30...0x37).contains($0) || $0 == UInt8(ascii: "_") }
            }
        }
        rest = rest.drop(while: isDigitOrUnderscore)
        return rest.isEmpty || (self.takeSixties(&rest) && rest.isEmpty)
    }

    private static func isFloat(_ bytes: [UInt8]) -> Bool {
        var rest = self.unsigned(bytes)
        func isDigitOrUnderscore(_ byte: UInt8) -> Bool { self.isDigit(byte) || byte == UInt8(ascii: "_") }
        func takeExponent() -> Bool {
            guard let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") else { return true }
            // Without a sign it is a text.
            guard let sign = rest.dropFirst().first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
                return false
            }
            let digits = rest.dropFirst(2).prefix(while: self.isDigit)
            rest = rest.dropFirst(2 + digits.count)
            return !digits.isEmpty
        }
        guard let first = rest.first else { return false }
        if first == UInt8(ascii: ".") {
            guard rest.count == bytes.count, let digit = rest.dropFirst().first, self.isDigit(digit) else {
                return false
            }
            rest = rest.dropFirst().drop(while: isDigitOrUnderscore)
            return takeExponent() && rest.isEmpty
        }
        guard self.isDigit(first) else { return false }
        rest = rest.drop(while: isDigitOrUnderscore)
        let hasSixties = rest.first == UInt8(ascii: ":")
        if hasSixties, !self.takeSixties(&rest) { return false }
        guard rest.first == UInt8(ascii: ".") else { return false }
        rest = rest.dropFirst().drop(while: isDigitOrUnderscore)
        return (hasSixties || takeExponent()) && rest.isEmpty
    }

    private static func isTime(_ bytes: [UInt8]) -> Bool {
        // A date alone has two digits for month and day.
        if bytes.count == 10, !bytes.contains(where: { !self.isDigit($0) && $0 != UInt8(ascii: "-") }) {
            return self.dateParts(bytes)?.time == nil && bytes[4] == UInt8(ascii: "-") && bytes[7] == UInt8(ascii: "-")
        }
        return self.dateParts(bytes)?.time != nil
    }

    // MARK: - Values

    private static func integer(_ text: String) -> JSONValue? {
        var digits = Array(text.utf8.filter { $0 != UInt8(ascii: "_") })
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
        guard !digits.isEmpty, digits.count <= 4000 else { return nil }
        var parts: [ArraySlice<UInt8>] = [digits[...]]
        var base: UInt64 = 10
        if digits.count > 1, digits[0] == UInt8(ascii: "0") {
            let marked: [UInt8: UInt64] = [UInt8(ascii: "b"): 2, UInt8(ascii: "x"): 16]
            base = marked[digits[1]] ?? 8
            parts = [digits[(base == 8 ? 1 : 2)...]]
            // Python's own prefix is allowed after this one.
            if base == 8, digits[1] == UInt8(ascii: "o") { parts = [digits[2...]] }
        } else if digits.contains(UInt8(ascii: ":")) {
            parts = digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        }
        // Nine digits to the base of a billion, the lowest first.
        var number: [UInt64] = [0]
        func multiply(by factor: UInt64, adding: UInt64) {
            var carry = adding
            for index in number.indices {
                let sum = number[index] * factor + carry
                number[index] = sum % 1_000_000_000
                carry = sum / 1_000_000_000
            }
            while carry > 0 {
                number.append(carry % 1_000_000_000)
                carry /= 1_000_000_000
            }
        }
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty else { return nil }
            if index > 0 {
                guard part.count <= 9, let value = UInt64(String(decoding: part, as: UTF8.self)) else { return nil }
                multiply(by: 60, adding: value)
                continue
            }
            for digit in part {
                guard let value = Character(Unicode.Scalar(digit)).hexDigitValue, value < base else { return nil }
                multiply(by: base, adding: UInt64(value))
            }
        }
        var decimal = String(number[number.count - 1])
        for part in number.dropLast().reversed() {
            let text = String(part)
            decimal += String(repeating: "0", count: 9 - text.utf8.count) + text
        }
        if isNegative, decimal != "0" { decimal = "-" + decimal }
        return Int(decimal).map(JSONValue.int) ?? .string(decimal)
    }

    private static func float(_ text: String) -> JSONValue? {
        var rest = text.replacing("_", with: "").lowercased()[...]
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        let size: Double
        switch rest {
        case ".inf": size = .infinity
        case ".nan": return .double(.nan)
        case _ where rest.contains(":"):
            var sum = 0.0
            var base = 1.0
            for part in rest.split(separator: ":", omittingEmptySubsequences: false).reversed() {
                guard let value = PythonNumber.float(String(part)) else { return nil }
                sum += value * base
                base *= 60
            }
            size = sum
        default:
            guard let value = PythonNumber.float(String(rest)) else { return nil }
            size = value
        }
        return .double(isNegative ? -size : size)
    }

    private struct DateParts {
        var year: Int
        var month: Int
        var day: Int
        var time: PythonDate.Time?
    }

    /// A date, and perhaps a time after T or space; digits are not checked against the calendar.
    private static func dateParts(_ bytes: [UInt8]) -> DateParts? {
        var reader = Digits(String(decoding: bytes, as: UTF8.self))
        func skipSpace() -> Bool {
            var isThere = false
            while reader.take(" ") || reader.take("\t") { isThere = true }
            return isThere
        }
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2, atLeast: 1), reader.take("-"),
            let day = reader.number(2, atLeast: 1)
        else { return nil }
        var parts = DateParts(year: year, month: month, day: day)
        if reader.isAtEnd { return parts }
        guard reader.take("T") || reader.take("t") || skipSpace(), let hour = reader.number(2, atLeast: 1),
            reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2)
        else { return nil }
        var time = PythonDate.Time(hour: hour, minute: minute, second: second)
        if reader.take(".") {
            var scale = 100_000
            while let digit = reader.number(1) {
                time.microsecond += digit * scale
                scale /= 10
            }
        }
        _ = skipSpace()
        if reader.take("Z") {
            time.offset = 0
        } else if !reader.isAtEnd {
            let isEast = reader.take("+")
            guard isEast || reader.take("-"), let hours = reader.number(2, atLeast: 1) else { return nil }
            var minutes = 0
            if reader.take(":") {
                guard let number = reader.number(2) else { return nil }
                minutes = number
            }
            time.offset = (hours * 60 + minutes) * (isEast ? 60 : -60)
        }
        parts.time = time
        return reader.isAtEnd ? parts : nil
    }

    private static func time(_ bytes: [UInt8]) -> PythonDate? {
        self.dateParts(bytes).flatMap { PythonDate(year: $0.year, month: $0.month, day: $0.day, time: $0.time) }
    }

    /// Bytes as Python prints them: b'...'.
    private static func binary(_ text: String) -> JSONValue? {
        guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else { return nil }
        let mark: UInt8 =
            data.contains(UInt8(ascii: "'")) && !data.contains(UInt8(ascii: "\""))
            ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        var printed = "b" + String(Character(Unicode.Scalar(mark)))
        for byte in data {
            switch byte {
            case UInt8(ascii: "\\"), mark: printed += "\\" + String(Character(Unicode.Scalar(byte)))
            case UInt8(ascii: "\n"): printed += "\\n"
            case UInt8(ascii: "\r"): printed += "\\r"
            case UInt8(ascii: "\t"): printed += "\\t"
            case 0x20..<0x7F: printed += String(Character(Unicode.Scalar(byte)))
            default: printed += "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return .string(printed + String(Character(Unicode.Scalar(mark))))
    }
}
