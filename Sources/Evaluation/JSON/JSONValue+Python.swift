internal import OrderedCollections
internal import PythonCompat

extension JSONValue {
    /// The value as Python's `json` reads it.
    var python: PythonValue {
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
    init?(_ value: PythonValue) {
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
    static func pythonLiteral(_ text: String) -> JSONValue? {
        PythonLiteral.evaluate(text).flatMap(JSONValue.init(_:))
    }
}

extension PythonText {
    /// Python's `str()` of a value as it stands in a data set.
    static func str(_ value: JSONValue) -> String { Self.str(value.python) }
}
