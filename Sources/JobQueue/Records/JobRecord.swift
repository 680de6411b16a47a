public import FoundationEssentials

/// What keeps all of a job's shards back, whatever their own state.
public enum JobGate: String, Sendable, Hashable, CaseIterable, Encodable {
    case open
    /// Other jobs must end first.
    case waiting
    /// A person, or too many failures.
    case held
}

/// A job as the queue knows it.
public struct JobRecord: Sendable, Hashable, Encodable {
    public var id: JobID
    public var task: String
    public var model: String
    public var modelSHA256: String
    public var needLabels: [String]
    public var needGPUMegabytes: Int
    public var needDevice: String?
    public var maxAttempts: Int
    public var maxFailures: Int?
    public var priority: Priority
    public var gate: JobGate
    /// Why the gate is shut, or why the job was cancelled.
    public var reason: String?
    /// The first claim of a shard that is not waiting again.
    public var startedAt: Date?
    /// The end of the last shard; nil while there is something to do.
    public var finishedAt: Date?
    public var progress: WorkProgress
    /// Its results may come from several engines.
    public var isMixed = false
    /// The engine that its first result came from, as JSON; only where one job was asked for.
    public var engine: String?

    public var state: WorkState { progress.state }

    public init(
        id: JobID, task: String, model: String, modelSHA256: String, needLabels: [String], needGPUMegabytes: Int,
        needDevice: String?, maxAttempts: Int, maxFailures: Int?, priority: Priority, gate: JobGate, reason: String?,
        startedAt: Date?, finishedAt: Date?, progress: WorkProgress
    ) {
        self.id = id
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.needLabels = needLabels
        self.needGPUMegabytes = needGPUMegabytes
        self.needDevice = needDevice
        self.maxAttempts = maxAttempts
        self.maxFailures = maxFailures
        self.priority = priority
        self.gate = gate
        self.reason = reason
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.progress = progress
    }
}
