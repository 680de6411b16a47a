public import OrderedCollections

/// A value of a row: JSON, whose objects keep their order and whose integers stay integers, and a date, which loaders make
/// of texts.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent, within 64 bits.
    case int(Int)
    /// Any other number; finite but in the rows of data sets.
    case double(Double)
    case string(String)
    /// Printed and written as Python prints it; only the stored form knows it from a text.
    ///
    /// Kept elsewhere, so that all the other values are not made as large as it.
    indirect case date(PythonDate)
    case array([JSONValue])
    case object(OrderedDictionary<String, JSONValue>)

    /// A member of an object; `nil` if there is none or this is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self, let place = members.index(forKey: key),
            // Keys are code points, not what is canonically equivalent.
            members.keys[place].utf8.elementsEqual(key.utf8)
        else { return nil }
        return members.values[place]
    }

    /// The text of a string; `nil` for anything else.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// An integer; `nil` for anything else.
    public var int: Int? {
        if case .int(let number) = self { number } else { nil }
    }

    /// A number, whole or not; `nil` for anything else.
    public var double: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// A boolean; `nil` for anything else.
    public var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// The items of a list; `nil` for anything else.
    public var array: [JSONValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    /// What it is in words, for messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "an integer"
        case .double: "a number"
        case .string: "a string"
        case .date: "a date"
        case .array: "a list"
        case .object: "a mapping"
        }
    }
}

extension JSONValue {
    /// The value in JSON without white space; `sortingKeys` orders members by their keys' UTF-8 bytes.
    ///
    /// Numbers have the fewest digits that read back as the same value.
    public func text(sortingKeys: Bool = false) -> String {
        var bytes: [UInt8] = []
        self.write(to: &bytes, sortingKeys: sortingKeys)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What a date is stored under: {"$datetime":"1969-07-20 00:00:00"}.
    ///
    /// A mapping that happens to be like that is stored with one more $, and so on.
    private static let dateKey = "$datetime"

    /// How many $ stand before the rest of the key, if the value is a mapping of one member such as dates are stored as.
    private static func dollars(_ members: OrderedDictionary<String, JSONValue>) -> Int? {
        guard members.count == 1, let key = members.keys.first, key.utf8.first == UInt8(ascii: "$") else { return nil }
        let rest = key.drop { $0 == "$" }
        return rest == Self.dateKey.dropFirst() ? key.utf8.count - rest.utf8.count : nil
    }

    /// The value in JSON without white space, from which `parseStored` makes the same value, dates and numbers that are
    /// not finite included (as NaN, Infinity and -Infinity, which Python's `json` reads).
    public var storedText: String {
        var bytes: [UInt8] = []
        self.stored.write(to: &bytes, sortingKeys: false)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// With mappings in place of dates.
    public var stored: JSONValue {
        switch self {
        case .date(let date): return .object([Self.dateKey: .string(date.text)])
        case .array(let items): return .array(items.map(\.stored))
        case .object(let members):
            if Self.dollars(members) != nil, let member = members.elements.first {
                return .object(["$" + member.key: member.value.stored])
            }
            return .object(members.mapValues(\.stored))
        default: return self
        }
    }

    /// What `stored` was made of.
    var restored: JSONValue {
        switch self {
        case .array(let items): return .array(items.map(\.restored))
        case .object(let members):
            guard let dollars = Self.dollars(members), let member = members.elements.first else {
                return .object(members.mapValues(\.restored))
            }
            if dollars > 1 { return .object([String(member.key.dropFirst()): member.value.restored]) }
            if case .string(let text) = member.value, let date = PythonDate(text: text) { return .date(date) }
            return .object([member.key: member.value.restored])
        default: return self
        }
    }

    /// The value with all members in the order of their keys' UTF-8 bytes, but for what stands under `kept`.
    public func sortingKeys(but kept: String) -> JSONValue {
        switch self {
        case .array(let items): return .array(items.map { $0.sortingKeys(but: kept) })
        case .object(var members):
            members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for key in members.keys where key != kept { members[key] = members[key]?.sortingKeys(but: kept) }
            return .object(members)
        default: return self
        }
    }

    public func write(to bytes: inout [UInt8], sortingKeys: Bool) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .int(let number): bytes.append(contentsOf: String(number).utf8)
        case .double(let number):
            bytes.append(
                contentsOf: number.isFinite
                    ? number.description.utf8
                    : number.isNaN ? "NaN".utf8 : number < 0 ? "-Infinity".utf8 : "Infinity".utf8)
        case .string(let text): Self.write(text, to: &bytes)
        case .date(let date): Self.write(date.text, to: &bytes)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.write(to: &bytes, sortingKeys: sortingKeys)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var members = members
            if sortingKeys { members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } }
            for (index, (key, value)) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                value.write(to: &bytes, sortingKeys: sortingKeys)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: byte < 0x10 ? "\\u000".utf8 : "\\u00".utf8)
                bytes.append(contentsOf: String(byte, radix: 16).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension JSONValue {
    /// How JSON is laid out for people.
    public enum Layout: Sendable {
        /// With spaces after commas and colons.
        case oneLine
        /// One member or item a line, ended by a newline.
        case indented
    }

    /// The value in JSON that people read: control characters are escaped, and numbers that are not finite are null.
    public func text(_ layout: Layout) -> String {
        var text = ""
        self.write(to: &text, indentation: layout == .indented ? 0 : nil)
        return layout == .indented ? text + "\n" : text
    }

    private func write(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        // Swift prints the shortest text that reads as the same double, and it is valid JSON.
        case .double(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): Self.write(value, to: &text)
        case .date(let date): Self.write(date.text, to: &text)
        case .array(let values):
            Self.write(values, "[", "]", to: &text, indentation: indentation) { value, text, indentation in
                value.write(to: &text, indentation: indentation)
            }
        case .object(let members):
            Self.write(members.elements, "{", "}", to: &text, indentation: indentation) { member, text, indentation in
                Self.write(member.key, to: &text)
                text += ": "
                member.value.write(to: &text, indentation: indentation)
            }
        }
    }

    private static func write<Elements: Collection>(
        _ elements: Elements, _ opening: String, _ closing: String, to text: inout String, indentation: Int?,
        element write: (Elements.Element, inout String, Int?) -> Void
    ) {
        text += opening
        let inner = indentation.map { $0 + 1 }
        for (number, element) in elements.enumerated() {
            if number > 0 { text += inner == nil ? ", " : "," }
            if let inner { text += "\n" + String(repeating: "  ", count: inner) }
            write(element, &text, inner)
        }
        if let indentation, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: indentation) }
        text += closing
    }

    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
