/// All that a report is a function of: a run's published results, read and checked.
public struct ReportInput: Sendable, Hashable {
    public var runID: String
    public var runName: String
    public var project: String
    /// In the run's order.
    public var jobs: [JobInput]

    public init(runID: String, runName: String, project: String, jobs: [JobInput]) {
        self.runID = runID
        self.runName = runName
        self.project = project
        self.jobs = jobs
    }
}
