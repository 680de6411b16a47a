internal import FoundationEssentials

extension JSONValue {
    /// The largest text that is parsed, in bytes.
    static let sizeLimit = 64 << 20

    /// Parses a JSON text; the members of an object are ordered by key.
    ///
    /// - Parameter source: What the text is, for the error's message.
    init(parsing text: String, source: String) throws(ReportError) {
        guard text.utf8.count <= Self.sizeLimit else {
            throw ReportError(
                .malformed, "\(source) has \(text.utf8.count) bytes; at most \(Self.sizeLimit) are read as JSON")
        }
        do {
            self = try JSONDecoder().decode(Decoded.self, from: Data(text.utf8)).value
        } catch {
            throw ReportError(.malformed, "\(source) is not valid JSON: \(error)")
        }
    }

    /// The value of an object's member; nil for other values and unknown keys.
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    var int: Int? {
        guard case .int(let value) = self else { return nil }
        return value
    }

    var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The number, whole or not.
    var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    var array: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }
}

/// Finds out what kind of value comes next.
private struct Decoded: Decodable {
    var value: JSONValue

    init(from decoder: any Decoder) throws {
        if let members = try? decoder.container(keyedBy: Key.self) {
            let keys = members.allKeys.sorted { $0.stringValue < $1.stringValue }
            self.value = .object(
                try keys.map { .init($0.stringValue, try members.decode(Decoded.self, forKey: $0).value) })
        } else if var elements = try? decoder.unkeyedContainer() {
            var values: [JSONValue] = []
            while !elements.isAtEnd { values.append(try elements.decode(Decoded.self).value) }
            self.value = .array(values)
        } else {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                self.value = .null
            } else if let value = try? single.decode(Bool.self) {
                self.value = .bool(value)
            } else if let value = try? single.decode(Double.self) {
                // Whole numbers are integers, but for the negative zero that integers do not have.
                let whole = try? single.decode(Int.self)
                self.value = whole.flatMap { $0 == 0 && value.sign == .minus ? nil : .int($0) } ?? .double(value)
            } else {
                self.value = .string(try single.decode(String.self))
            }
        }
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
