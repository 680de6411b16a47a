internal import ConfigFile
internal import Evaluation
internal import JSON

extension MetricConfiguration {
    static func list(
        _ reader: inout MappingReader, outputType: OutputType, isNative: Bool, notes: inout [String]
    ) throws(TaskError) -> [MetricConfiguration] {
        guard let nodes = try reader.list("metric_list") else { return outputType.defaultMetrics.map(Self.init) }
        var metrics: [MetricConfiguration] = []
        for node in nodes {
            let entries: [MetricConfiguration]
            if let programs = try isNative ? nil : Self.ofPrograms(node) {
                guard reader.peek("unsafe_code")?.value == .bool(true) else {
                    throw node.error(
                        .invalidValue,
                        "this metric runs programs that the model writes; allow it with unsafe_code: true")
                }
                entries = programs
            } else {
                entries = [
                    try MetricConfiguration(node, outputType: outputType, isNative: isNative, notes: &notes)
                ]
            }
            for metric in entries {
                guard !metrics.contains(where: { $0.metric == metric.metric }) else {
                    throw node.error(.invalidValue, "the metric \(metric.metric.rawValue) is there twice")
                }
                metrics.append(metric)
            }
        }
        guard !metrics.isEmpty else { throw reader.missing("metric_list", "name at least one metric") }
        return metrics
    }

    /// What humaneval's function gives: pass@k for every k; `nil` for an entry that names no function.
    private static func ofPrograms(_ node: ConfigurationNode) throws(TaskError) -> [MetricConfiguration]? {
        var reader = try MappingReader(node, name: "an entry of metric_list")
        guard let function = try reader.function("metric") else { return nil }
        guard function.name == BuiltinFunction.passAtK else {
            throw node.error(.unsupported, "\(function.name) computes no metric of metric_list")
        }
        guard let list = reader.node("k") else { throw reader.missing("k", "say how many texts count, such as k: [1]") }
        let nodes = if case .list(let nodes) = list.content { nodes } else { [list] }
        let metrics = try nodes.map { item throws(TaskError) in
            guard case .int(let count) = item.value, (1...10_000).contains(count) else {
                throw reader.wrong("k", item, "an integer from 1 to 10000, or a list of such")
            }
            return MetricConfiguration(.pass(at: count))
        }
        for key in ["aggregation", "higher_is_better"] { _ = reader.node(key) }
        try reader.finish()
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
        let aggregation = try Self.aggregation(&reader)
        var metric = MetricConfiguration(.native(name))
        if aggregation == .weightedMean || aggregation == .bestThreshold, let aggregation {
            // Only functions that are built in give values for these.
            metric.aggregation = aggregation
        } else if let known = Metric(rawValue: name), known.isHealth, outputType.has(known) {
            metric = MetricConfiguration(known)
        } else if let known = Metric(rawValue: name), outputType.has(known),
            aggregation == nil || known.aggregations[0] == aggregation
        {
            // Without an aggregation the metric's own is meant, as in lm-eval.
            metric = MetricConfiguration(known)
        } else if let aggregation, aggregation != .mean {
            throw reader.place.error(.unsupported, "\(name) can be aggregated by mean, not by \(aggregation.rawValue)")
        }
        metric.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        return metric
    }

    /// An aggregation by name, or by a function that is built in.
    private static func aggregation(_ reader: inout MappingReader) throws(TaskError) -> Aggregation? {
        guard let node = reader.peek("aggregation"), case .function(let reference) = node.content else {
            return try reader.choice("aggregation", of: Aggregation.self)
        }
        _ = reader.node("aggregation")
        let function = try BuiltinFunction.named(reference, at: node.place)
        guard let aggregation = BuiltinFunction.aggregations[function.name] else {
            throw node.error(.unsupported, "!function \(reference) puts no values together")
        }
        return aggregation
    }
}
