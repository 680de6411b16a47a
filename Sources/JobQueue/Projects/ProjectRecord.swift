/// A project: what fair share and caps are counted for.
public struct ProjectRecord: Sendable, Hashable, Encodable {
    public var name: String
    /// Its part of the devices in relation to the others'.
    public var weight: Double
    /// Above so many running shards it gets only what nobody below their cap wants.
    public var softCap: Int?
    /// So many of its shards run at once, and no more.
    public var hardCap: Int?
    /// Device time that still counts, in seconds; it halves every week.
    public var usedSeconds: Double
    public var running: Int
    /// Shards that could be claimed now.
    public var ready: Int

    public init(
        name: String, weight: Double = 1, softCap: Int? = nil, hardCap: Int? = nil, usedSeconds: Double = 0,
        running: Int = 0, ready: Int = 0
    ) {
        self.name = name
        self.weight = weight
        self.softCap = softCap
        self.hardCap = hardCap
        self.usedSeconds = usedSeconds
        self.running = running
        self.ready = ready
    }
}

/// A new value, or none: no cap.
public enum CapChange: Sendable, Hashable {
    case keep
    case remove
    case set(Int)
}

/// What is to change about a project.
public struct ProjectChange: Sendable, Hashable {
    public var weight: Double?
    public var softCap: CapChange
    public var hardCap: CapChange

    public init(weight: Double? = nil, softCap: CapChange = .keep, hardCap: CapChange = .keep) {
        self.weight = weight
        self.softCap = softCap
        self.hardCap = hardCap
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
