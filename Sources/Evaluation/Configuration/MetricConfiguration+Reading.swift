extension MetricConfiguration {
    static func list(_ reader: inout MappingReader, outputType: OutputType) throws(TaskError) -> [MetricConfiguration] {
        guard let nodes = try reader.list("metric_list") else {
            return outputType.defaultMetrics.map {
                MetricConfiguration(metric: $0, higherIsBetter: $0.higherIsBetter, normalization: .init())
            }
        }
        var metrics: [MetricConfiguration] = []
        for node in nodes {
            let metric = try MetricConfiguration(node, outputType: outputType)
            guard !metrics.contains(where: { $0.metric == metric.metric }) else {
                throw node.error(.invalidValue, "the metric \(metric.metric.rawValue) is there twice")
            }
            metrics.append(metric)
        }
        guard !metrics.isEmpty else { throw reader.missing("metric_list", "name at least one metric") }
        return metrics
    }

    private init(_ node: ConfigurationNode, outputType: OutputType) throws(TaskError) {
        var reader = try MappingReader(node, name: "an entry of metric_list")
        guard let metric = try reader.choice("metric", of: Metric.self) else {
            throw reader.missing("metric", "name a metric")
        }
        guard outputType.metrics.contains(metric) else {
            let names = outputType.metrics.map(\.rawValue).joined(separator: ", ")
            throw node.error(
                .invalidValue, "\(outputType.rawValue) has no metric \(metric.rawValue); it has \(names)")
        }
        if let aggregation = reader.node("aggregation"),
            aggregation.value != .string(metric.aggregation.rawValue)
        {
            throw aggregation.error(
                .unsupported,
                "\(metric.rawValue) can't be aggregated by \(aggregation.found), only by \(metric.aggregation.rawValue)"
            )
        }
        self.metric = metric
        self.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        self.normalization = ExactMatchNormalization()
        if metric == .exactMatch, outputType == .generateUntil {
            self.normalization.regexesToIgnore = try reader.strings("regexes_to_ignore") ?? []
            for pattern in self.normalization.regexesToIgnore { try MappingReader.checkRegex(pattern, node) }
            self.normalization.ignoreCase = try reader.boolean("ignore_case") ?? false
            self.normalization.ignorePunctuation = try reader.boolean("ignore_punctuation") ?? false
            self.normalization.ignoreNumbers = try reader.boolean("ignore_numbers") ?? false
        }
        try reader.finish(refused: ["hf_evaluate": "metrics are built in"])
    }
}
