/// A run's short, typeable name: eight characters of Crockford's base 32, in lower case.
///
/// The alphabet has no i, l, o and u, so that nothing can be misread; forty random bits keep runs apart.
public struct RunID: Sendable, Hashable, Comparable {
    public let text: String

    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    static let length = 8

    /// Reads an identifier as a person may type it: upper case counts as lower case, o as 0, i and l as 1.
    ///
    /// - Throws: `invalid` when the text does not have eight characters of the alphabet.
    public init(_ text: String) throws(QueueError) {
        let prefix = try RunPrefix(text)
        guard prefix.text.count == Self.length else {
            throw QueueError(
                .invalid, "run id '\(text)' has \(text.count) characters: a full run id has \(Self.length)")
        }
        self.text = prefix.text
    }

    /// A new random identifier.
    public static func random() -> RunID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    public static func random(using generator: inout some RandomNumberGenerator) -> RunID {
        RunID(unchecked: String((0..<length).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] }))
    }

    init(unchecked text: String) {
        self.text = text
    }

    public static func < (left: RunID, right: RunID) -> Bool {
        left.text < right.text
    }
}

extension RunID: CustomStringConvertible {
    public var description: String { text }
}

extension RunID: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
