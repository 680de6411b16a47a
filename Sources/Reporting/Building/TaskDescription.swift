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
        let task = try EvaluationTask(canonicalJSON: configuration)
        let version = task.configuration.version
        self.init(
            alias: task.configuration.alias, version: version.isEmpty ? nil : version, metrics: task.metrics)
    }
}
