internal import Statistics

/// A run's scores with their uncertainty, health and provenance: a pure function of a `ReportInput`.
public struct Report: Sendable, Hashable {
    /// The version of what report.json and manifest.json contain.
    public static let schemaVersion = 1

    public var name: ReportName
    /// The version of the program that builds.
    public var toolVersion: String
    public var runID: String
    public var runName: String
    public var project: String
    /// In the order in which the run's jobs name them.
    public var tasks: [TaskReport]
    /// In the order in which the run's jobs name them.
    public var groups: [GroupReport] = []

    /// The command that builds this report again; run id and name need no quoting by a shell.
    public var rebuildCommand: String {
        "assay-report build \(self.runID)" + (self.name.value == self.runID ? "" : " --name \(self.name)")
    }
}

/// The results of all models on one task: the same task, data set and hash.
public struct TaskReport: Sendable, Hashable {
    public var task: TaskInput
    public var datasetSHA256: String
    public var jobs: [JobReport]

    /// The name to show.
    public var title: String { self.task.alias ?? self.task.name }
}
