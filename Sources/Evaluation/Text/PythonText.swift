/// What Python does to text, where Swift's String does something else.
enum PythonText {
    /// Python's `str.isspace` for one code point; `\s` of its regular expressions is the same set.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Python's `str.strip()`.
    static func strip(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let start = scalars.firstIndex(where: { !Self.isSpace($0) }),
            let last = scalars.lastIndex(where: { !Self.isSpace($0) })
        else { return "" }
        return String(scalars[start...last])
    }

    /// Python's `str.isdigit()` for what a template renders: ASCII digits, at least one.
    static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Equality by code points; Swift's `==` also takes canonically equivalent texts as equal.
    static func equal(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    /// `len(re.split(r"\s+", text))`.
    static func wordCount(_ text: String) -> Int {
        var runs = 0
        var wasSpace = false
        for scalar in text.unicodeScalars {
            let isSpace = Self.isSpace(scalar)
            if isSpace, !wasSpace { runs += 1 }
            wasSpace = isSpace
        }
        return runs + 1
    }

    /// Python's `str()` of a value as it stands in a data set.
    static func str(_ value: JSONValue) -> String {
        if case .string(let text) = value { text } else { Self.repr(value) }
    }

    private static func repr(_ value: JSONValue) -> String {
        switch value {
        case .null: return "None"
        case .bool(let flag): return flag ? "True" : "False"
        case .int(let number): return String(number)
        case .double(let number): return Self.repr(number)
        case .string(let text): return Self.quote(text)
        case .array(let items): return "[" + items.map(Self.repr).joined(separator: ", ") + "]"
        case .object(let members):
            return "{" + members.map { "\(Self.quote($0.key)): \(Self.repr($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// Swift writes an exponent from 2^54 on and with one digit; Python from 1e16 on and with two.
    private static func repr(_ number: Double) -> String {
        let text = number.description
        guard let mark = text.firstIndex(of: "e") else {
            return abs(number) < 1e16 ? text : Self.scientific(text)
        }
        let exponent = text[text.index(after: mark)...]
        guard exponent.utf8.count == 2 else { return text }
        return text[...mark] + exponent.prefix(1) + "0" + exponent.suffix(1)
    }

    private static func scientific(_ fixed: String) -> String {
        let sign = fixed.hasPrefix("-") ? "-" : ""
        let whole = fixed.drop { $0 == "-" }.prefix { $0 != "." }
        let digits = String(whole.reversed().drop { $0 == "0" }.reversed())
        let tail = digits.dropFirst()
        return sign + digits.prefix(1) + (tail.isEmpty ? "" : ".") + tail + "e+\(whole.utf8.count - 1)"
    }

    private static func quote(_ text: String) -> String {
        let mark: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
        var quoted = String(Character(mark))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case mark: quoted += "\\" + String(Character(mark))
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + String(Character(mark))
    }
}
