public import OrderedCollections
internal import PythonCompat

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
            PythonText.equal(members.keys[place], key)
        else { return nil }
        return members.values[place]
    }

    /// The text of a string; `nil` for anything else.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
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
