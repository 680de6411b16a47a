/// A shard that a worker may compute now, with all that it needs for it.
public struct ClaimedShard: Sendable, Hashable {
    public let key: ShardKey
    public let worker: WorkerID
    public let epoch: Epoch
    public let incarnation: Incarnation
    public let range: ShardRange
    /// This try's number among those that count against `maxAttempts`, from 1.
    public let attempt: Int
    public let maxAttempts: Int
    /// The tier that it was claimed in.
    public let priority: Priority
    public let task: String
    public let model: String
    public let modelSHA256: String
    /// The job's specification as submitted, JSON.
    public let specification: String
    /// Device time that this model took for a sample of this task lately; nil when nobody has measured it.
    public let secondsPerSample: Double?

    public var job: JobID { key.job }
    public var run: RunID { key.job.run }
    public var jobName: String { key.job.name }
    public var index: Int { key.index }
    public var rowStart: Int { range.rowStart }
    public var rowCount: Int { range.rowCount }

    public init(
        key: ShardKey, worker: WorkerID, epoch: Epoch, incarnation: Incarnation, range: ShardRange, attempt: Int,
        maxAttempts: Int, priority: Priority = .normal, task: String, model: String, modelSHA256: String,
        specification: String, secondsPerSample: Double? = nil
    ) {
        self.key = key
        self.worker = worker
        self.epoch = epoch
        self.incarnation = incarnation
        self.range = range
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.priority = priority
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.specification = specification
        self.secondsPerSample = secondsPerSample
    }

    /// What the next heartbeat says of this shard.
    public func progress(samples: Int = 0, tokens: Int = 0) -> ShardProgress {
        ShardProgress(key: key, epoch: epoch, samples: samples, tokens: tokens)
    }
}
