/// A job: its number in the queue, and its place in its run, which makes its name.
public struct JobID: Sendable, Hashable {
    /// The queue's own number; rises with the order of submission.
    public let number: Int64
    public let run: RunID
    /// The place in the run, from 0.
    public let ordinal: Int

    public init(number: Int64, run: RunID, ordinal: Int) {
        self.number = number
        self.run = run
        self.ordinal = ordinal
    }

    /// The name that people type: "<run>.<ordinal>".
    public var name: String { "\(run).\(ordinal)" }
}

extension JobID: Comparable {
    public static func < (left: JobID, right: JobID) -> Bool {
        left.number < right.number
    }
}

extension JobID: CustomStringConvertible {
    public var description: String { name }
}

extension JobID: Encodable {
    /// Writes the name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
