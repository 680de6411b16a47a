#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

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
