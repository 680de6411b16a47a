/// The value of an attribute.
public enum AttributeValue: Sendable, Hashable {
    case text(String)
    case texts([String])
    case integer(Int)
    case flag(Bool)
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
}
