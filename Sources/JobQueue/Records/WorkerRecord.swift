public import FoundationEssentials

/// Where a worker stands.
public enum WorkerState: String, Sendable, Hashable, CaseIterable, Encodable {
    case live
    /// Its lease ran out and its shards were given to others.
    case dead
    /// It said good-bye.
    case left
}

/// A worker as the queue knows it.
public struct WorkerRecord: Sendable, Hashable, Encodable {
    public var id: WorkerID
    public var incarnation: Incarnation
    public var host: String
    public var pid: Int
    public var device: String
    public var deviceKind: String
    public var labels: [String]
    public var gpuMegabytes: Int
    public var engine: String
    /// What its engine is, as JSON; nil where it does not say.
    public var identity: String?
    /// The sha256 of the models that it has loaded.
    public var warmModels: [String]
    public var state: WorkerState
    public var isDraining: Bool
    public var registeredAt: Date
    public var seenAt: Date
    public var leaseUntil: Date
    /// What is wrong with it, or why it left, in its own words.
    public var note: String?
    /// How many shards it holds.
    public var holding: Int

    public init(
        id: WorkerID, incarnation: Incarnation, host: String, pid: Int, device: String, deviceKind: String,
        labels: [String],
        gpuMegabytes: Int, engine: String, identity: String? = nil, warmModels: [String], state: WorkerState,
        isDraining: Bool,
        registeredAt: Date, seenAt: Date, leaseUntil: Date, note: String? = nil,
        holding: Int
    ) {
        self.id = id
        self.incarnation = incarnation
        self.host = host
        self.pid = pid
        self.device = device
        self.deviceKind = deviceKind
        self.labels = labels
        self.gpuMegabytes = gpuMegabytes
        self.engine = engine
        self.identity = identity
        self.warmModels = warmModels
        self.state = state
        self.isDraining = isDraining
        self.registeredAt = registeredAt
        self.seenAt = seenAt
        self.leaseUntil = leaseUntil
        self.note = note
        self.holding = holding
    }
}
