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
