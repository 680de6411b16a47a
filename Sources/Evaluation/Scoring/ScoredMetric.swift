/// What one sample contributes to a metric.
struct ScoredMetric {
    var value: Double
    var weight = 1.0
    /// As `Aggregation.terms` names them.
    var terms: [Double] = []

    init(_ value: Double, weight: Double = 1, terms: [Double] = []) {
        self.value = value
        self.weight = weight
        self.terms = terms
    }

    init(_ isRight: Bool) { self.init(isRight ? 1 : 0) }

    func value(of column: MetricDefinition) -> MetricValue {
        MetricValue(
            name: column.name, value: self.value, weight: self.weight, terms: self.terms,
            termNames: column.aggregation.terms)
    }
}
