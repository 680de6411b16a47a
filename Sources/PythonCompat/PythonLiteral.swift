/// Python's `ast.literal_eval` for lists of strings and numbers, as templates render them.
public struct PythonLiteral {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    /// The value of a literal that fills `text`; `nil` if it is none.
    public static func evaluate(_ text: String) -> PythonValue? {
        var literal = PythonLiteral(scalars: Array(text.unicodeScalars))
        guard let value = literal.value(depth: 0) else { return nil }
        literal.skipSpace()
        return literal.position == literal.scalars.count ? value : nil
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var next: Unicode.Scalar? { self.position < self.scalars.count ? self.scalars[self.position] : nil }

    private mutating func skipSpace() {
        while let scalar = self.next, [" ", "\t", "\n", "\r", "\u{C}"].contains(scalar) { self.position += 1 }
    }

    private mutating func value(depth: Int) -> PythonValue? {
        guard depth < 32 else { return nil }
        self.skipSpace()
        guard let scalar = self.next else { return nil }
        switch scalar {
        case "[": return self.sequence(until: "]", depth: depth)
        case "(": return self.sequence(until: ")", depth: depth)
        case "'", "\"":
            var text = ""
            // Adjacent strings are one.
            while let mark = self.next, mark == "'" || mark == "\"" {
                guard let part = self.string(mark) else { return nil }
                text += part
                self.skipSpace()
            }
            return .string(text)
        default: return self.wordOrNumber()
        }
    }

    private mutating func sequence(until close: Unicode.Scalar, depth: Int) -> PythonValue? {
        self.position += 1
        var items: [PythonValue] = []
        while true {
            self.skipSpace()
            if self.next == close {
                self.position += 1
                return .list(items)
            }
            guard let item = self.value(depth: depth + 1) else { return nil }
            items.append(item)
            self.skipSpace()
            if self.next == "," {
                self.position += 1
            } else if self.next != close {
                return nil
            }
        }
    }

    private mutating func string(_ mark: Unicode.Scalar) -> String? {
        self.position += 1
        var text = String.UnicodeScalarView()
        while let scalar = self.next {
            self.position += 1
            switch scalar {
            case mark: return String(text)
            case "\n": return nil
            case "\\":
                guard let escaped = self.next else { return nil }
                self.position += 1
                switch escaped {
                case "n": text.append("\n")
                case "r": text.append("\r")
                case "t": text.append("\t")
                case "\\", "'", "\"": text.append(escaped)
                case "x", "u", "U":
                    let count = escaped == "x" ? 2 : escaped == "u" ? 4 : 8
                    let digits = String(String.UnicodeScalarView(self.scalars[self.position...].prefix(count)))
                    guard digits.utf8.count == count, let code = UInt32(digits, radix: 16),
                        let decoded = Unicode.Scalar(code)
                    else { return nil }
                    text.append(decoded)
                    self.position += count
                default: return nil
                }
            default: text.append(scalar)
            }
        }
        return nil
    }

    private mutating func wordOrNumber() -> PythonValue? {
        var word = String.UnicodeScalarView()
        while let scalar = self.next, scalar.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains(scalar)
        {
            word.append(scalar)
            self.position += 1
        }
        switch String(word) {
        case "True": return .bool(true)
        case "False": return .bool(false)
        case "None": return PythonValue.none
        case let text:
            if let number = Int(text) { return .int(number) }
            guard
                text.utf8.allSatisfy({
                    !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "e")
                }),
                let number = Double(text), number.isFinite
            else { return nil }
            return .float(number)
        }
    }
}
