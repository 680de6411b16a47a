public import JSON
internal import OrderedCollections

/// A value of Python's, as literals and `repr` know it.
public indirect enum PythonValue: Sendable {
    case none
    case bool(Bool)
    /// An integer of up to 64 bits.
    case int(Int)
    case float(Double)
    case complex(real: Double, imaginary: Double)
    case string(String)
    case bytes([UInt8])
    case list([PythonValue])
    case tuple([PythonValue])
    /// Its members in the order they were put in; Python's own order changes from run to run.
    case set([PythonValue])
    /// Keys with their values, in the order they were put in.
    case dictionary([(key: PythonValue, value: PythonValue)])
    /// A value of another type, such as a date, with its `str()` and its `repr()`.
    case other(type: String, text: String, repr: String)

    /// The name of its type in Python.
    public var typeName: String {
        switch self {
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .complex: "complex"
        case .string: "str"
        case .bytes: "bytes"
        case .list: "list"
        case .tuple: "tuple"
        case .set: "set"
        case .dictionary: "dict"
        case .other(let type, _, _): type
        }
    }
}

/// What Python raises, where a caller has to tell.
public struct PythonError: Error, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case type = "TypeError"
        case value = "ValueError"
        case key = "KeyError"
        case index = "IndexError"
        case overflow = "OverflowError"
        case syntax = "SyntaxError"
        /// What Python can do and this module can't.
        case unsupported = "NotImplementedError"
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension PythonText {
    /// Python's `str(value)`.
    public static func str(_ value: PythonValue) -> String {
        switch value {
        case .string(let text), .other(_, let text, _): text
        default: Self.repr(value)
        }
    }

    /// Python's `repr(value)`.
    public static func repr(_ value: PythonValue) -> String {
        var text = ""
        Self.write(value, to: &text)
        return text
    }

    private static func write(_ value: PythonValue, to text: inout String) {
        switch value {
        case .none: text += "None"
        case .bool(let flag): text += flag ? "True" : "False"
        case .int(let number): text += String(number)
        case .float(let number): text += Self.repr(number)
        case .complex(let real, let imaginary): text += Self.complex(real, imaginary)
        case .string(let string): text += Self.repr(string)
        case .bytes(let bytes): text += Self.repr(bytes: bytes)
        case .other(_, _, let repr): text += repr
        case .list(let items): Self.write(items, between: "[", "]", to: &text)
        case .tuple(let items): Self.write(items, between: "(", items.count == 1 ? ",)" : ")", to: &text)
        case .set(let items):
            if items.isEmpty { text += "set()" } else { Self.write(items, between: "{", "}", to: &text) }
        case .dictionary(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += ", " }
                Self.write(member.key, to: &text)
                text += ": "
                Self.write(member.value, to: &text)
            }
            text += "}"
        }
    }

    private static func write(
        _ items: [PythonValue], between open: String, _ close: String, to text: inout String
    ) {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += ", " }
            Self.write(item, to: &text)
        }
        text += close
    }

    private static func complex(_ real: Double, _ imaginary: Double) -> String {
        func part(_ number: Double) -> String {
            let text = Self.repr(number)
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        if real == 0, real.sign == .plus { return part(imaginary) + "j" }
        let sign = imaginary.sign == .minus && !imaginary.isNaN ? "" : "+"
        return "(" + part(real) + sign + part(imaginary) + "j)"
    }

    /// What Python's `ascii(value)` makes of the value's `repr`: an escape for what is not ASCII.
    public static func ascii(_ repr: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in repr.unicodeScalars {
            if scalar.isASCII {
                text.append(scalar)
            } else {
                Self.escape(scalar.value, to: &text)
            }
        }
        return String(text)
    }

    /// Python's `chr(number)`; `nil` beyond U+10FFFF, and for surrogates, which no text has here.
    public static func chr(_ number: Int) -> String? {
        UInt32(exactly: number).flatMap(Unicode.Scalar.init).map { String(Character($0)) }
    }

    /// Python's `ord(text)`; `nil` unless it is one code point.
    public static func ord(_ text: String) -> Int? {
        guard let first = text.unicodeScalars.first, text.unicodeScalars.count == 1 else { return nil }
        return Int(first.value)
    }

    /// Python's `repr` of a float: the fewest digits that read back as the same number.
    public static func repr(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
        // Swift finds the same digits, but writes exponents for other numbers.
        let text = number.description
        if !text.utf8.contains(UInt8(ascii: "e")), abs(number) < 1e16 { return text }
        var digits: [UInt8] = []
        var point = 0
        var isFraction = false
        var bytes = text.utf8[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"):
                point += Int(Substring(bytes)) ?? 0
                bytes = bytes[bytes.endIndex...]
            default:
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
                if !isFraction { point += digits.isEmpty ? 0 : 1 } else if digits.isEmpty { point -= 1 }
            }
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (number < 0 ? "-" : "") + Self.shortest(digits, point)
    }

    /// Digits that stand after a decimal point at `point`: an exponent where that is shorter.
    private static func shortest(_ digits: [UInt8], _ point: Int) -> String {
        let text = String(decoding: digits, as: UTF8.self)
        if point <= -4 || point > 16 {
            let exponent = String((point - 1).magnitude)
            return text.prefix(1) + (digits.count > 1 ? "." : "") + text.dropFirst() + (point < 1 ? "e-" : "e+")
                + (exponent.utf8.count < 2 ? "0" : "") + exponent
        }
        if point <= 0 { return "0." + String(repeating: "0", count: -point) + text }
        let zeros = String(repeating: "0", count: max(0, point - digits.count))
        return text.prefix(point) + zeros + "." + (digits.count > point ? text.dropFirst(point) : "0")
    }

    /// Python's `repr` of a string: in quotes, with an escape for what is not printable.
    public static func repr(_ string: String) -> String {
        let mark: UInt8 =
            string.utf8.contains(UInt8(ascii: "'")) && !string.utf8.contains(UInt8(ascii: "\""))
            ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        var text = String.UnicodeScalarView()
        text.append(Unicode.Scalar(mark))
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\\": text.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\r": text.append(contentsOf: "\\r".unicodeScalars)
            case "\t": text.append(contentsOf: "\\t".unicodeScalars)
            case Unicode.Scalar(mark): text.append(contentsOf: ["\\", scalar])
            case _ where Self.isPrintable(scalar): text.append(scalar)
            default: Self.escape(scalar.value, to: &text)
            }
        }
        text.append(Unicode.Scalar(mark))
        return String(text)
    }

    private static func repr(bytes: [UInt8]) -> String {
        let mark: Character = bytes.contains(UInt8(ascii: "'")) && !bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
        var text = "b\(mark)"
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"): text += "\\\\"
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\r"): text += "\\r"
            case UInt8(ascii: "\t"): text += "\\t"
            case mark.asciiValue: text += "\\\(mark)"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: Self.escape(UInt32(byte), to: &text.unicodeScalars)
            }
        }
        return text + "\(mark)"
    }

    /// Appends `\xhh`, `\uhhhh` or `\Uhhhhhhhh`.
    private static func escape(_ value: UInt32, to text: inout String.UnicodeScalarView) {
        let (letter, count): (Unicode.Scalar, Int) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
        text.append("\\")
        text.append(letter)
        for place in stride(from: 4 * (count - 1), through: 0, by: -4) {
            let digit = UInt8(value >> UInt32(place) & 0xF)
            text.append(Unicode.Scalar(digit < 10 ? 0x30 + digit : 0x57 + digit))
        }
    }
}

extension JSONValue {
    /// The value as Python's `json` reads it.
    public var python: PythonValue {
        switch self {
        case .null: .none
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .double(let number): .float(number)
        case .string(let text): .string(text)
        case .date(let date): .other(type: date.typeName, text: date.text, repr: date.repr)
        case .array(let items): .list(items.map(\.python))
        case .object(let members): .dictionary(members.map { (key: .string($0.key), value: $0.value.python) })
        }
    }

    /// What stands for a value of Python's, with tuples as lists; `nil` if JSON has nothing like it.
    public init?(_ value: PythonValue) {
        switch value {
        case .none: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .float(let number):
            guard number.isFinite else { return nil }
            self = .double(number)
        case .string(let text): self = .string(text)
        case .list(let items), .tuple(let items):
            var values: [JSONValue] = []
            for item in items {
                guard let value = JSONValue(item) else { return nil }
                values.append(value)
            }
            self = .array(values)
        case .dictionary(let members):
            var values: OrderedDictionary<String, JSONValue> = [:]
            for member in members {
                guard case .string(let key) = member.key, let value = JSONValue(member.value) else { return nil }
                values[key] = value
            }
            self = .object(values)
        case .complex, .bytes, .set, .other: return nil
        }
    }

    /// What `ast.literal_eval(text)` gives; `nil` if the text is no literal, or its value has no like in JSON.
    public static func pythonLiteral(_ text: String) -> JSONValue? {
        PythonLiteral.evaluate(text).flatMap(JSONValue.init(_:))
    }
}

extension PythonText {
    /// Python's `str()` of a value as it stands in a data set.
    public static func str(_ value: JSONValue) -> String { Self.str(value.python) }
}
