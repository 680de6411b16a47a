/// A registered worker's number.
public struct WorkerID: Sendable, Hashable, Comparable, CustomStringConvertible, Codable {
    public let number: Int64

    public init(_ number: Int64) {
        self.number = number
    }

    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    public var description: String { "\(number)" }

    public static func < (left: WorkerID, right: WorkerID) -> Bool {
        left.number < right.number
    }
}
