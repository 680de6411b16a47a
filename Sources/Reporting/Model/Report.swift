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

    /// The command that builds this report again, as arguments.
    public var rebuildCommand: [String] {
        var command = ["assay-report", "build", self.runID]
        if self.name.value != self.runID { command += ["--name", self.name.value] }
        return command
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
