/// One entry of a task's metric list.
public struct MetricConfiguration: Sendable, Hashable {
    public var metric: Metric
    public var aggregation: Aggregation
    public var higherIsBetter: Bool
    public var normalization: ExactMatchNormalization

    init(_ metric: Metric) {
        self.metric = metric
        self.aggregation = metric.aggregation
        self.higherIsBetter = metric.higherIsBetter
        self.normalization = .none
    }
}
