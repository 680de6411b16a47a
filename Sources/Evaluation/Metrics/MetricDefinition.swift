/// One metric's column: what its values mean and how they are put together.
public struct MetricDefinition: Sendable, Hashable, Codable {
    /// The column's name: the metric, with ",filter" behind it where the task names filters.
    public var name: String
    public var metric: Metric
    /// The filter's name; "none" where the task names no filter.
    public var filter: String
    public var aggregation: Aggregation
    public var higherIsBetter: Bool

    public init(name: String, metric: Metric, filter: String, aggregation: Aggregation, higherIsBetter: Bool) {
        self.name = name
        self.metric = metric
        self.filter = filter
        self.aggregation = aggregation
        self.higherIsBetter = higherIsBetter
    }
}
