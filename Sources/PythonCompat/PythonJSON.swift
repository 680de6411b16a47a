/// Whether Python's `json.loads` takes a text; nesting may be deep.
public struct PythonJSON {
    /// Python refuses to make integers of more digits.
    private static let maxDigits = 4300

    private enum Container {
        case array
        case object
    }

    private var rest: CodePoints

    public static func isValid(_ text: CodePoints) -> Bool {
        var json = PythonJSON(rest: text)
        return json.takeValue()
    }

    private mutating func skipSpace() {
        self.rest = self.rest.drop { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }
    }

    private mutating func take(_ text: String) -> Bool {
        guard self.rest.starts(with: text.unicodeScalars) else { return false }
        self.rest.removeFirst(text.unicodeScalars.count)
        return true
    }

    /// A value and nothing behind it.
    private mutating func takeValue() -> Bool {
        var open: [Container] = []
        while true {
            self.skipSpace()
            if self.take("[") {
                self.skipSpace()
                if !self.take("]") {
                    open.append(.array)
                    continue
                }
            } else if self.take("{") {
                self.skipSpace()
                if !self.take("}") {
                    guard self.takeKey() else { return false }
                    open.append(.object)
                    continue
                }
            } else if !self.takeScalar() {
                return false
            }
            // Behind a value: what closes containers, up to the comma before the next one.
            self.skipSpace()
            while let container = open.last, self.take(container == .array ? "]" : "}") {
                open.removeLast()
                self.skipSpace()
            }
            guard let container = open.last else { return self.rest.isEmpty }
            guard self.take(",") else { return false }
            self.skipSpace()
            if container == .object, !self.takeKey() { return false }
        }
    }

    private mutating func takeKey() -> Bool {
        guard self.takeString() else { return false }
        self.skipSpace()
        return self.take(":")
    }

    private mutating func takeScalar() -> Bool {
        if self.rest.first == "\"" { return self.takeString() }
        for word in ["null", "true", "false", "NaN", "Infinity", "-Infinity"] where self.take(word) { return true }
        return self.takeNumber()
    }

    private mutating func takeString() -> Bool {
        guard self.take("\"") else { return false }
        while let scalar = self.rest.popFirst() {
            if scalar == "\"" { return true }
            if scalar.value < 0x20 { return false }
            guard scalar == "\\" else { continue }
            guard let escaped = self.rest.popFirst() else { return false }
            if escaped == "u" {
                let digits = self.rest.prefix(4)
                guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.properties.isHexDigit }) else {
                    return false
                }
                self.rest = self.rest.dropFirst(4)
            } else if !"\"\\/bfnrt".unicodeScalars.contains(escaped) {
                return false
            }
        }
        return false
    }

    private mutating func takeDigits() -> Int {
        let digits = self.rest.prefix(while: PythonText.isASCIIDigit)
        self.rest = self.rest[digits.endIndex...]
        return digits.count
    }

    private mutating func takeNumber() -> Bool {
        _ = self.take("-")
        let digits = self.rest.first == "0" ? (self.take("0") ? 1 : 0) : self.takeDigits()
        guard digits > 0 else { return false }
        var isInteger = true
        if self.rest.first == ".", let next = self.rest.dropFirst().first, PythonText.isASCIIDigit(next) {
            self.rest.removeFirst()
            _ = self.takeDigits()
            isInteger = false
        }
        if let mark = self.rest.first, mark == "e" || mark == "E" {
            var exponent = self.rest.dropFirst()
            if let sign = exponent.first, sign == "+" || sign == "-" { exponent.removeFirst() }
            if let next = exponent.first, PythonText.isASCIIDigit(next) {
                self.rest = exponent
                _ = self.takeDigits()
                isInteger = false
            }
        }
        return !isInteger || digits <= Self.maxDigits
    }
}

/// Parts of what Python's `json.dumps` writes.
extension PythonJSON {
    /// A float, as `json` writes those that JSON doesn't have, too.
    public static func number(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        guard number.isFinite else { return number < 0 ? "-Infinity" : "Infinity" }
        return PythonText.repr(number)
    }

    /// Appends a string in quotes.
    ///
    /// - Parameter isASCII: Whether other characters are escaped (`ensure_ascii`).
    public static func write(_ string: String, isASCII: Bool, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            case "\0"..<" ": text += Self.escape(UInt16(scalar.value))
            default:
                if isASCII, scalar.value > 0x7E {
                    for unit in String(Character(scalar)).utf16 { text += Self.escape(unit) }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
