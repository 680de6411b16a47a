#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

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
