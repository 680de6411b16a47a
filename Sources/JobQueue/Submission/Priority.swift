/// The tier a run is claimed in; a higher tier goes first, whatever the fair share says.
public enum Priority: Int, Sendable, Hashable, CaseIterable, Comparable {
    case low = 0
    case normal = 1
    case high = 2
    case urgent = 3

    /// Reads a tier's name.
    ///
    /// - Throws: `invalid` for any other word.
    public init(name: String) throws(QueueError) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else {
            let names = Self.allCases.map(\.name).joined(separator: ", ")
            throw QueueError(.invalid, "priority '\(name)' does not exist: use one of \(names)")
        }
        self = match
    }

    public var name: String {
        switch self {
        case .low: "low"
        case .normal: "normal"
        case .high: "high"
        case .urgent: "urgent"
        }
    }

    public static func < (left: Priority, right: Priority) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension Priority: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(name: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
