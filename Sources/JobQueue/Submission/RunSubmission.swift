/// A run as it is handed to the queue: all of its jobs and shards, stored in one transaction or not at all.
public struct RunSubmission: Sendable, Hashable, Codable {
    /// Chosen by the submitter, so that a repeated submission is recognised.
    public var id: RunID
    public var name: String
    /// The project that fair share is counted for; created on first use.
    public var project: String
    public var user: String
    public var priority: Priority
    /// The job file with everything resolved, as JSON.
    public var specification: String
    public var jobs: [JobSubmission]

    public init(
        id: RunID = .random(), name: String, project: String = "default", user: String, priority: Priority = .normal,
        specification: String, jobs: [JobSubmission]
    ) {
        self.id = id
        self.name = name
        self.project = project
        self.user = user
        self.priority = priority
        self.specification = specification
        self.jobs = jobs
    }
}
