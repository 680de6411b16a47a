public import FoundationEssentials

/// How often a shard was claimed; half of the fence.
public struct Epoch: Sendable, Hashable, Comparable, CustomStringConvertible, Codable {
    public let rawValue: Int

    public init(_ rawValue: Int) {
        self.rawValue = rawValue
    }

    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    public var description: String { "\(rawValue)" }

    public static func < (left: Epoch, right: Epoch) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One life of a worker process; the other half of the fence.
///
/// The same epoch number can be issued twice when a database fails over and loses its last claims; the
/// incarnation tells the two claims apart.
public struct Incarnation: Sendable, Hashable, CustomStringConvertible, Codable {
    public let uuid: UUID

    public init(_ uuid: UUID) {
        self.uuid = uuid
    }

    public static func random() -> Incarnation {
        Incarnation(UUID())
    }

    public init(from decoder: any Decoder) throws {
        uuid = try decoder.singleValueContainer().decode(UUID.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The UUID in lower case with hyphens; safe in a file name.
    public var description: String { uuid.uuidString.lowercased() }
}
