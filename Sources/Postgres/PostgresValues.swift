#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// An encoded parameter value.
public struct PostgresParameter: Sendable, Hashable {
    enum Form: Hashable {
        case text
        /// Bytes as they are, for bytea.
        case bytes
    }

    let form: Form
    /// The value without a terminating NUL.
    let bytes: [UInt8]

    /// A value in the server's text form; the server infers the type from where the parameter stands.
    public init(text: String) {
        self.form = .text
        self.bytes = Array(text.utf8)
    }

    init(asciiText bytes: [UInt8]) {
        self.form = .text
        self.bytes = bytes
    }

    /// A bytea value.
    public init(bytes: [UInt8]) {
        self.form = .bytes
        self.bytes = bytes
    }

    /// The type sent along: 0 lets the server infer it.
    var typeOID: UInt32 { self.form == .bytes ? PostgresType.bytea : 0 }
}

/// A type that can be sent as a statement's parameter.
public protocol PostgresEncodable: Sendable {
    var postgresParameter: PostgresParameter { get }
}

/// A type that can be read from a column.
public protocol PostgresDecodable {
    /// Reads the server's text form; nil when the type or the value doesn't fit.
    init?(postgresText text: Span<UInt8>, type: UInt32)
}

/// A type that is both.
public typealias PostgresCodable = PostgresDecodable & PostgresEncodable

/// The object identifiers of built-in types, from PostgreSQL's pg_type.dat.
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let date: UInt32 = 1082
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let uuid: UInt32 = 2950
    static let xid8: UInt32 = 5069

    static func isInteger(_ type: UInt32) -> Bool {
        // Sums of int8 are numeric; their text is an integer's.
        [Self.int2, Self.int4, Self.int8, Self.oid, Self.numeric, Self.xid8].contains(type)
    }

    static func isNumber(_ type: UInt32) -> Bool {
        type == Self.float8 || type == Self.float4 || Self.isInteger(type)
    }

    /// The name for an error message.
    static func name(_ type: UInt32) -> String {
        switch type {
        case Self.bool: "boolean"
        case Self.bytea: "bytea"
        case Self.int2: "smallint"
        case Self.int4: "integer"
        case Self.int8: "bigint"
        case Self.float4: "real"
        case Self.float8: "double precision"
        case Self.numeric: "numeric"
        case 25: "text"
        case 1043: "character varying"
        case Self.date: "date"
        case Self.timestamp: "timestamp"
        case Self.timestamptz: "timestamptz"
        case Self.uuid: "uuid"
        case Self.json: "json"
        case 3802: "jsonb"
        case 1005: "smallint[]"
        case 1007: "integer[]"
        case 1016: "bigint[]"
        case 1009: "text[]"
        case 1001: "bytea[]"
        case 1021: "real[]"
        case 1022: "double precision[]"
        case 2951: "uuid[]"
        default: "the type with oid \(type)"
        }
    }
}

extension String: PostgresEncodable, PostgresDecodable {
    public var postgresParameter: PostgresParameter { PostgresParameter(text: self) }

    /// Any type's text form: json, enums, numeric, intervals and so on too.
    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard let string = String(utf8Span: text) else { return nil }
        self = string
    }

    init?(utf8Span span: Span<UInt8>) {
        let valid = span.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
        guard let valid else { return nil }
        self = valid
    }
}

extension UUID: PostgresEncodable, PostgresDecodable {
    public var postgresParameter: PostgresParameter { PostgresParameter(text: self.uuidString) }

    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard let string = String(utf8Span: text), let value = UUID(uuidString: string) else { return nil }
        self = value
    }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public var postgresParameter: PostgresParameter { self.rawValue.postgresParameter }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    /// Reads the raw value; nil where it is none of this type's.
    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard let rawValue = RawValue(postgresText: text, type: type) else { return nil }
        self.init(rawValue: rawValue)
    }
}

extension Bool: PostgresEncodable, PostgresDecodable {
    public var postgresParameter: PostgresParameter { PostgresParameter(text: self ? "t" : "f") }

    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard type == PostgresType.bool, text.count == 1 else { return nil }
        self = text[0] == UInt8(ascii: "t")
    }
}

extension FixedWidthInteger where Self: PostgresEncodable & PostgresDecodable {
    public var postgresParameter: PostgresParameter { PostgresParameter(text: String(self)) }

    /// Reads an integer, or a numeric without a fraction; nil where it is out of range.
    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard PostgresType.isInteger(type), let value = Self(asciiDigits: text) else { return nil }
        self = value
    }

    init?(asciiDigits text: Span<UInt8>) {
        var index = 0
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < text.count else { return nil }
        var value: Self = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) =
                isNegative
                ? product.subtractingReportingOverflow(Self(digit)) : product.addingReportingOverflow(Self(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            index += 1
        }
        self = value
    }
}

extension Int: PostgresEncodable, PostgresDecodable {}
extension Int64: PostgresEncodable, PostgresDecodable {}
extension Int32: PostgresEncodable, PostgresDecodable {}
extension Int16: PostgresEncodable, PostgresDecodable {}

extension BinaryFloatingPoint where Self: LosslessStringConvertible & PostgresEncodable & PostgresDecodable {
    /// The shortest text that reads back as the same value.
    public var postgresParameter: PostgresParameter {
        if self.isNaN { return PostgresParameter(text: "NaN") }
        guard self.isInfinite else { return PostgresParameter(text: self.description) }
        return PostgresParameter(text: self < 0 ? "-Infinity" : "Infinity")
    }

    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard PostgresType.isNumber(type), let text = String(utf8Span: text) else { return nil }
        switch text {
        case "NaN": self = .nan
        case "Infinity": self = .infinity
        case "-Infinity": self = -.infinity
        default:
            guard let value = Self(text) else { return nil }
            self = value
        }
    }
}

extension Double: PostgresEncodable, PostgresDecodable {}
extension Float: PostgresEncodable, PostgresDecodable {}

/// A type whose Swift array is a PostgreSQL array; for `UInt8` it is a bytea.
public protocol PostgresArrayElement: Sendable {
    static func postgresParameter(of array: [Self]) -> PostgresParameter
    /// Nil when the text is not such an array, or has a NULL in it.
    static func array(postgresText text: Span<UInt8>, type: UInt32) -> [Self]?
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public var postgresParameter: PostgresParameter { Element.postgresParameter(of: self) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    public init?(postgresText text: Span<UInt8>, type: UInt32) {
        guard let array = Element.array(postgresText: text, type: type) else { return nil }
        self = array
    }
}

extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    public static func postgresParameter(of array: [Self]) -> PostgresParameter {
        PostgresParameter(asciiText: ArrayText.encode(array.map(\.postgresParameter)))
    }

    public static func array(postgresText text: Span<UInt8>, type: UInt32) -> [Self]? {
        guard let elementType = ArrayText.elementType(of: type), let items = ArrayText.split(text) else { return nil }
        var array: [Self] = []
        array.reserveCapacity(items.count)
        for item in items {
            guard let item, let element = Self(postgresText: item.span, type: elementType) else { return nil }
            array.append(element)
        }
        return array
    }
}

extension UInt8: PostgresArrayElement {
    public static func postgresParameter(of array: [UInt8]) -> PostgresParameter { PostgresParameter(bytes: array) }

    public static func array(postgresText text: Span<UInt8>, type: UInt32) -> [UInt8]? {
        type == PostgresType.bytea ? Hex.decode(text) : nil
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {}
extension Bool: PostgresArrayElement {}
extension Int: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Int32: PostgresArrayElement {}
extension Int16: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension Float: PostgresArrayElement {}
extension String: PostgresArrayElement {}
extension UUID: PostgresArrayElement {}
extension PostgresTimestamp: PostgresArrayElement {}

/// The text form of one-dimensional arrays: {1,NULL,"a \"quoted\" one"}.
enum ArrayText {
    static func encode(_ items: [PostgresParameter]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (index, item) in items.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(UInt8(ascii: "\""))
            switch item.form {
            case .bytes:
                text += [UInt8(ascii: "\\"), UInt8(ascii: "\\"), UInt8(ascii: "x")]
                Hex.encode(item.bytes, into: &text)
            case .text:
                for byte in item.bytes {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                    text.append(byte)
                }
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return text
    }

    /// The items' texts, nil for NULL; nil as a whole when this is not a one-dimensional array with lower bound 1.
    static func split(_ text: Span<UInt8>) -> [[UInt8]?]? {
        guard text.count >= 2, text[0] == UInt8(ascii: "{"), text[text.count - 1] == UInt8(ascii: "}") else {
            return nil
        }
        var items: [[UInt8]?] = []
        if text.count == 2 { return items }
        let end = text.count - 1
        var index = 1
        while true {
            var item: [UInt8] = []
            let isQuoted = index < end && text[index] == UInt8(ascii: "\"")
            if isQuoted { index += 1 }
            while index < end {
                let byte = text[index]
                if isQuoted ? byte == UInt8(ascii: "\"") : byte == UInt8(ascii: ",") { break }
                if !isQuoted, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "\"") { return nil }
                if byte == UInt8(ascii: "\\") { index += 1 }
                guard index < end else { return nil }
                item.append(text[index])
                index += 1
            }
            if isQuoted {
                guard index < end else { return nil }
                index += 1
            } else if item.isEmpty {
                return nil
            }
            items.append(!isQuoted && item == Array("NULL".utf8) ? nil : item)
            if index == end { return items }
            guard text[index] == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }

    /// The element type of the built-in array types that can be decoded; text for those we don't know.
    static func elementType(of type: UInt32) -> UInt32? {
        switch type {
        case 1000: PostgresType.bool
        case 1001: PostgresType.bytea
        case 1005: PostgresType.int2
        case 1007: PostgresType.int4
        case 1016: PostgresType.int8
        case 1021: PostgresType.float4
        case 1022: PostgresType.float8
        case 1115: PostgresType.timestamp
        case 1182: PostgresType.date
        case 1185: PostgresType.timestamptz
        case 1231: PostgresType.numeric
        case 2951: PostgresType.uuid
        default: 25
        }
    }
}

/// The "\x..." text form of bytea.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func encode(_ bytes: [UInt8], into text: inout [UInt8]) {
        text.reserveCapacity(text.count + 2 * bytes.count)
        for byte in bytes {
            text.append(Self.digits[Int(byte >> 4)])
            text.append(Self.digits[Int(byte & 15)])
        }
    }

    /// Reads digits behind a "\x"; nil when the text is anything else.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x")
        else { return nil }
        let count = text.count / 2 - 1
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                let high = Self.value(text[2 * index + 2])
                let low = Self.value(text[2 * index + 3])
                isValid = isValid && high < 16 && low < 16
                buffer[index] = high << 4 | low & 15
            }
            initialized = count
        }
        return isValid ? bytes : nil
    }

    private static func value(_ digit: UInt8) -> UInt8 {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: 255
        }
    }
}
