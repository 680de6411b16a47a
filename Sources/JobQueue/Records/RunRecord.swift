public import FoundationEssentials

/// A run as the queue knows it.
public struct RunRecord: Sendable, Hashable, Encodable {
    public var id: RunID
    public var name: String
    public var project: String
    public var user: String
    public var priority: Priority
    public var jobCount: Int
    public var submittedAt: Date
    public var cancelledAt: Date?
    /// When its shards were moved out of the queue's way.
    public var archivedAt: Date?
    /// The first claim of a shard that is not waiting again.
    public var startedAt: Date?
    /// The end of the last shard; nil while there is something to do.
    public var finishedAt: Date?
    public var progress: WorkProgress

    public var state: WorkState { progress.state }

    public init(
        id: RunID, name: String, project: String, user: String, priority: Priority, jobCount: Int, submittedAt: Date,
        cancelledAt: Date?, archivedAt: Date? = nil, startedAt: Date?, finishedAt: Date?, progress: WorkProgress
    ) {
        self.id = id
        self.name = name
        self.project = project
        self.user = user
        self.priority = priority
        self.jobCount = jobCount
        self.submittedAt = submittedAt
        self.cancelledAt = cancelledAt
        self.archivedAt = archivedAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.progress = progress
    }
}
