extension TaskConfiguration {
    /// From the canonical JSON of a task.
    public init(canonicalJSON: String) throws(TaskError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parseStored(canonicalJSON.utf8)
        } catch {
            throw TaskError(.invalidYAML, "the stored task is not valid JSON: \(error.message)")
        }
        try self.init(ConfigurationNode(value, file: ""), file: "", isResolved: true)
    }

    /// One column for each filter and metric; without filters a column is called like its metric.
    public var columns: [MetricDefinition] {
        let filters = self.filters.isEmpty ? [""] : self.filters.map(\.name)
        return filters.flatMap { filter in
            self.metrics.map { entry in
                MetricDefinition(
                    name: entry.metric.name + (filter.isEmpty ? "" : ",\(filter)"), metric: entry.metric,
                    filter: filter.isEmpty ? "none" : filter, aggregation: entry.aggregation,
                    higherIsBetter: entry.higherIsBetter)
            }
        }
    }
}
