public import FoundationEssentials

/// A job as the queue knows it.
public struct JobRecord: Sendable, Hashable, Encodable {
    public var id: JobID
    public var task: String
    public var model: String
    public var modelSHA256: String
    public var needLabels: [String]
    public var needGPUMegabytes: Int
    public var maxAttempts: Int
    /// The first claim of a shard that is not waiting again.
    public var startedAt: Date?
    /// The end of the last shard; nil while there is something to do.
    public var finishedAt: Date?
    public var progress: WorkProgress

    public var state: WorkState { progress.state }

    public init(
        id: JobID, task: String, model: String, modelSHA256: String, needLabels: [String], needGPUMegabytes: Int,
        maxAttempts: Int, startedAt: Date?, finishedAt: Date?, progress: WorkProgress
    ) {
        self.id = id
        self.task = task
        self.model = model
        self.modelSHA256 = modelSHA256
        self.needLabels = needLabels
        self.needGPUMegabytes = needGPUMegabytes
        self.maxAttempts = maxAttempts
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.progress = progress
    }
}
