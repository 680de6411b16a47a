public import Evaluation
public import JobQueue

/// A job file that was checked to the last row: what will be submitted, and the data it needs.
public struct RunPlan: Sendable {
    public var submission: RunSubmission
    public var jobs: [PlannedJob]
    /// The rows of the data sets by sha256, to be copied into the store before submitting.
    public var dataSets: [String: DataSet]
    /// What has no effect in the task files, and what typing changed of their rows, to be told to who submits.
    public var notes: [String] = []
}

/// One job of a plan, for people to look at before they submit.
public struct PlannedJob: Sendable, Encodable {
    public var ordinal: Int
    public var task: String
    public var taskFile: String
    public var taskHash: String
    public var model: String
    public var dataSetSHA256: String
    public var samples: Int
    public var shards: Int
}
