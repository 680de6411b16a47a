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
    var value: Value? {
        if case .set(let value) = self { value } else { nil }
    }

    /// What there is after the change.
    func applied(to old: Value?) -> Value? {
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

    func validate(for name: String) throws(QueueError) {
        try check(name, "the project's name", 1...64)
        if let weight {
            guard weight.isFinite, weight > 0 else {
                throw QueueError(.invalid, "the weight of project '\(name)' is \(weight): it must be more than 0")
            }
        }
        for cap in [softCap, hardCap] {
            if case .set(let shards) = cap { try check(shards, "a cap of project '\(name)'", storableCount) }
        }
    }
}
