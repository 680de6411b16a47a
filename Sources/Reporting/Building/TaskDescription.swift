internal import Evaluation

/// What a report says of a task.
struct TaskDescription: Sendable {
    var alias: String?
    var version: String?
    var metrics: [MetricDefinition]
}

extension TaskDescription {
    /// - Parameter configuration: The task's canonical JSON.
    init(configuration: String) throws {
        let task = try TaskConfiguration(canonicalJSON: configuration)
        self.init(alias: task.alias, version: task.version.isEmpty ? nil : task.version, metrics: task.columns)
    }
}
