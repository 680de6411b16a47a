extension MetricConfiguration {
    static func list(
        _ reader: inout MappingReader, outputType: OutputType, isNative: Bool, notes: inout [String]
    ) throws(TaskError) -> [MetricConfiguration] {
        guard let nodes = try reader.list("metric_list") else { return outputType.defaultMetrics.map(Self.init) }
        var metrics: [MetricConfiguration] = []
        for node in nodes {
            let metric = try MetricConfiguration(
                node, outputType: outputType, isNative: isNative, notes: &notes)
            guard !metrics.contains(where: { $0.metric == metric.metric }) else {
                throw node.error(.invalidValue, "the metric \(metric.metric.rawValue) is there twice")
            }
            metrics.append(metric)
        }
        guard !metrics.isEmpty else { throw reader.missing("metric_list", "name at least one metric") }
        return metrics
    }

    /// - Parameter isNative: A function gives the metrics, under names of its own.
    private init(
        _ node: ConfigurationNode, outputType: OutputType, isNative: Bool, notes: inout [String]
    ) throws(TaskError) {
        var reader = try MappingReader(node, name: "an entry of metric_list")
        if isNative {
            self = try Self.native(&reader, outputType: outputType)
            try reader.finish()
            return
        }
        guard let metric = try reader.choice("metric", of: Metric.self) else {
            throw reader.missing("metric", "name a metric")
        }
        guard outputType.has(metric) else {
            let names = outputType.metrics.map(\.rawValue).joined(separator: ", ")
            throw node.error(
                .invalidValue, "\(outputType.rawValue) has no metric \(metric.rawValue); it has \(names)")
        }
        self.init(metric)
        if let aggregation = try reader.choice("aggregation", of: Aggregation.self) {
            guard metric.aggregations.contains(aggregation) else {
                let names = metric.aggregations.map(\.rawValue).joined(separator: " or ")
                throw node.error(
                    .unsupported, "\(metric.rawValue) can't be aggregated by \(aggregation.rawValue), only by \(names)")
            }
            self.aggregation = aggregation
        }
        self.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        if let node = reader.node("hf_evaluate"), node.value != .bool(false) {
            throw node.error(.unsupported, "hf_evaluate loads Python code; name one of the metrics that are built in")
        }
        if metric.comparesTexts, outputType == .generateUntil {
            self.normalization = try ExactMatchNormalization(&reader)
        }
        // lm-eval passes these on to every metric, and the others take no notice.
        for key in [
            "ignore_case", "ignore_punctuation", "ignore_numbers", "regexes_to_ignore", "weight_by_size", "average",
        ]
        where reader.node(key) != nil {
            notes.append("\(key) has no effect on \(metric.rawValue), as in lm-eval")
        }
        try reader.finish()
    }

    /// A metric whose values a function gives: one of ours where the aggregation is, else a mean.
    private static func native(
        _ reader: inout MappingReader, outputType: OutputType
    ) throws(TaskError) -> MetricConfiguration {
        guard let name = try reader.string("metric"), !name.isEmpty else {
            throw reader.missing("metric", "name a metric")
        }
        let aggregation = try reader.choice("aggregation", of: Aggregation.self)
        var metric = MetricConfiguration(.native(name))
        if let known = Metric(rawValue: name), outputType.has(known), known.aggregations[0] == aggregation {
            metric = MetricConfiguration(known)
        } else if let aggregation, aggregation != .mean {
            throw reader.place.error(.unsupported, "\(name) can be aggregated by mean, not by \(aggregation.rawValue)")
        }
        metric.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        return metric
    }
}
