public import FoundationEssentials
internal import Glibc

/// Projects by name.
public protocol ProjectRegistry: Sendable {
    /// All projects by name.
    func projects() async throws(QueueError) -> [ProjectRecord]

    /// Changes a project's share or caps; a project that does not exist yet is made.
    @discardableResult
    func changeProject(_ name: String, _ change: ProjectChange) async throws(QueueError) -> ProjectRecord
}

/// A project: what fair share and caps are counted for.
public struct ProjectRecord: Sendable, Hashable, Encodable {
    public var name: String
    /// Its part of the devices in relation to the others'.
    public var weight: Double
    /// Above so many running shards it gets only what nobody below their cap wants.
    public var softCap: Int?
    /// So many of its shards run at once, and no more.
    public var hardCap: Int?
    /// The highest priority that may be submitted; nil for the usual: high, and any for operators.
    public var ceiling: Priority?
    /// Device time that still counts, in seconds; it halves every week.
    public var usedSeconds: Double
    public var running: Int
    /// Shards that could be claimed now.
    public var ready: Int

    public init(
        name: String, weight: Double = 1, softCap: Int? = nil, hardCap: Int? = nil, ceiling: Priority? = nil,
        usedSeconds: Double = 0, running: Int = 0, ready: Int = 0
    ) {
        self.name = name
        self.weight = weight
        self.softCap = softCap
        self.hardCap = hardCap
        self.ceiling = ceiling
        self.usedSeconds = usedSeconds
        self.running = running
        self.ready = ready
    }
}

/// A new value, or none: no limit.
public enum LimitChange<Value: Sendable & Hashable>: Sendable, Hashable {
    case keep
    case remove
    case set(Value)

    /// The new value; nil for the other two.
    public var value: Value? {
        if case .set(let value) = self { value } else { nil }
    }

    /// What there is after the change.
    public func applied(to old: Value?) -> Value? {
        switch self {
        case .keep: old
        case .remove: nil
        case .set(let value): value
        }
    }
}

public typealias CapChange = LimitChange<Int>

/// What is to change about a project.
public struct ProjectChange: Sendable, Hashable {
    public var weight: Double?
    public var softCap: CapChange
    public var hardCap: CapChange
    public var ceiling: LimitChange<Priority>

    public init(
        weight: Double? = nil, softCap: CapChange = .keep, hardCap: CapChange = .keep,
        ceiling: LimitChange<Priority> = .keep
    ) {
        self.weight = weight
        self.softCap = softCap
        self.hardCap = hardCap
        self.ceiling = ceiling
    }

    public func validate(for name: String) throws(QueueError) {
        try QueueError.check(name, "the project's name", 1...64)
        if let weight {
            guard weight.isFinite, weight > 0 else {
                throw QueueError(.invalid, "the weight of project '\(name)' is \(weight): it must be more than 0")
            }
        }
        for cap in [softCap, hardCap] {
            if case .set(let shards) = cap { try QueueError.check(shards, "a cap of project '\(name)'", storableCount) }
        }
    }
}

/// A model that jobs can name.
public struct ModelRecord: Sendable, Hashable, Encodable {
    public var name: String
    /// Where the file is: absolute, or relative to the store.
    public var path: String
    /// Of the file: 64 lower-case hexadecimal digits.
    public var sha256: String
    public var bytes: Int64
    public var architecture: String
    public var parameters: Int64
    public var contextLength: Int
    public var vocabularySize: Int
    /// 64 lower-case hexadecimal digits.
    public var tokenizerSHA256: String
    /// For example "Q8_0".
    public var quantization: String
    /// Set by the queue when the model is added.
    public var addedAt: Date

    public init(
        name: String, path: String, sha256: String, bytes: Int64, architecture: String, parameters: Int64,
        contextLength: Int, vocabularySize: Int, tokenizerSHA256: String, quantization: String,
        addedAt: Date = Date(timeIntervalSince1970: 0)
    ) {
        self.name = name
        self.path = path
        self.sha256 = sha256
        self.bytes = bytes
        self.architecture = architecture
        self.parameters = parameters
        self.contextLength = contextLength
        self.vocabularySize = vocabularySize
        self.tokenizerSHA256 = tokenizerSHA256
        self.quantization = quantization
        self.addedAt = addedAt
    }
}

extension ModelRecord {
    /// The size of the file that is at `path` now; `nil` if there is none.
    public var bytesOnDisk: Int64? {
        var status = stat()
        return stat(self.path, &status) == 0 ? Int64(status.st_size) : nil
    }
}

extension ModelRecord {
    public func validate() throws(QueueError) {
        try QueueError.check(name, "the model's name", 1...200)
        try QueueError.check(path, "the path of model '\(name)'", 1...4096)
        try QueueError.check(sha256: sha256, "the sha256 of model '\(name)'")
        try QueueError.check(sha256: tokenizerSHA256, "the tokenizer's sha256 of model '\(name)'")
        try QueueError.check(architecture, "the architecture of model '\(name)'", 0...200)
        try QueueError.check(quantization, "the quantization of model '\(name)'", 0...200)
        try QueueError.check(contextLength, "the context length of model '\(name)'", storableCount)
        try QueueError.check(vocabularySize, "the vocabulary size of model '\(name)'", storableCount)
        guard bytes > 0, parameters >= 0 else {
            throw QueueError(
                .invalid, "model '\(name)' has \(bytes) bytes and \(parameters) parameters: that is no model")
        }
    }
}

/// What a role of the database may be granted; each one can also read everything.
public enum Ability: String, Sendable, Hashable, CaseIterable, Codable {
    case reader
    /// Submits runs, and changes its own: runs, schedules, models, data sets.
    case submitter
    /// Claims and computes, does chores, and fires schedules that are due.
    case worker
    /// Changes what is others', projects, and workers.
    case `operator`
}

/// One ability of one role of the database.
public struct RoleGrant: Sendable, Hashable, Encodable {
    public var role: String
    public var ability: Ability

    public init(role: String, ability: Ability) {
        self.role = role
        self.ability = ability
    }

    /// Reads "NAME=ABILITY"; a name may contain "=" itself.
    ///
    /// - Throws: `invalid`.
    public init(_ text: String) throws(QueueError) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        let name = parts.dropLast().joined(separator: "=")
        guard parts.count > 1, let last = parts.last, let ability = Ability(rawValue: String(last)) else {
            let all = Ability.allCases.map(\.rawValue).joined(separator: ", ")
            throw QueueError(.invalid, "'\(text)' is no grant: write ROLE=ABILITY, where ABILITY is one of \(all)")
        }
        // The server cuts longer names off, and would mean another role.
        guard (1...63).contains(name.utf8.count), !name.utf8.contains(0) else {
            throw QueueError(.invalid, "'\(name)' can't be the name of a role: names have 1 to 63 bytes")
        }
        self.init(role: name, ability: ability)
    }
}

/// What the role that is connected may do.
public struct RoleRights: Sendable, Hashable, Encodable {
    public var role: String
    /// The tables are its own, so it may do everything, and grant it.
    public var isOwner = false
    public var abilities: Set<Ability> = []

    public init(role: String) {
        self.role = role
    }
}
