internal import OrderedCollections

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
    var stored: JSONValue {
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
    func sortingKeys(but kept: String) -> JSONValue {
        switch self {
        case .array(let items): return .array(items.map { $0.sortingKeys(but: kept) })
        case .object(var members):
            members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for key in members.keys where key != kept { members[key] = members[key]?.sortingKeys(but: kept) }
            return .object(members)
        default: return self
        }
    }

    func write(to bytes: inout [UInt8], sortingKeys: Bool) {
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
