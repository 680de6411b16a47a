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
