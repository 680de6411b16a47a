public import FoundationEssentials

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

    public init(unchecked text: String) {
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

/// The first characters of a run's identifier, as typed on a command line and brought into canonical form.
public struct RunPrefix: Sendable, Hashable {
    public let text: String

    public init(_ typed: String) throws(QueueError) {
        guard !typed.isEmpty else {
            throw QueueError(.invalid, "the run id is empty: give an id as printed by submit, or its first characters")
        }
        guard typed.count <= RunID.length else {
            throw QueueError(.invalid, "'\(typed.prefix(64))' is no run id: run ids have \(RunID.length) characters")
        }
        var canonical = ""
        for character in typed.lowercased() {
            let letter: Character =
                switch character {
                case "o": "0"
                case "i", "l": "1"
                default: character
                }
            guard RunID.alphabet.contains(letter) else {
                throw QueueError(
                    .invalid, "'\(typed)' is no run id: '\(character)' is not one of 0-9 and a-z without i, l, o, u")
            }
            canonical.append(letter)
        }
        text = canonical
    }
}

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

/// A job as typed: a run's first characters, a dot, the job's number in the run.
public struct JobName: Sendable, Hashable {
    public let run: String
    public let ordinal: Int

    public init(_ typed: String) throws(QueueError) {
        let parts = typed.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let ordinal = Int(parts[1]), storableCount.contains(ordinal) else {
            throw QueueError.notAJobName(typed)
        }
        run = String(parts[0])
        self.ordinal = ordinal
    }
}

/// One shard: its job, and its place in the job from 0.
public struct ShardKey: Sendable, Hashable, Encodable {
    public let job: JobID
    public let index: Int

    public init(job: JobID, index: Int) {
        self.job = job
        self.index = index
    }
}

extension ShardKey: Comparable {
    public static func < (left: ShardKey, right: ShardKey) -> Bool {
        (left.job.number, left.index) < (right.job.number, right.index)
    }
}

extension ShardKey: CustomStringConvertible {
    public var description: String { "\(job.name)/\(index)" }
}

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
