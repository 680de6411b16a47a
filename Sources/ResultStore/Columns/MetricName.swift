/// What a metric may be called, so that it can be a column of /samples.
public enum MetricName {
    private static let reserved: Set<String> = [
        "_index", "row", "target", "prediction", "cluster", "finish_reason", "n_prompt", "n_generated", "is_truncated",
        "is_unparsed",
    ]

    /// What is wrong with the metrics' names of a task; `nil` if they can be stored.
    public static func problem(with names: [String]) -> String? {
        for name in names {
            if name.isEmpty || name == "." || name.utf8.count > 200 {
                return "the metric's name \"\(name)\" is empty, \".\" or longer than 200 bytes"
            }
            if name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") || $0 < 0x20 }) {
                return "the metric's name \"\(name)\" has \"/\", \":\" or a control character in it"
            }
            if reserved.contains(name) { return "\"\(name)\" is a column of every result and cannot name a metric" }
        }
        for name in names where names.contains(weight(of: name)) {
            return "the metric \"\(weight(of: name))\" has the name of the weights of \"\(name)\""
        }
        return Set(names).count == names.count ? nil : "two metrics have the same name: \(names)"
    }

    static func weight(of metric: String) -> String { "\(metric)_weight" }

    static func term(_ term: String, of metric: String) -> String { "\(metric):\(term)" }

    /// Finds metrics, their weights and their terms again in the names of columns.
    static func metrics(in columns: [String]) -> [ShardSchema.Metric] {
        var metrics: [ShardSchema.Metric] = []
        for column in columns {
            if let last = metrics.last, column == last.weightName {
                metrics[metrics.count - 1].hasWeights = true
            } else if let last = metrics.last, column.hasPrefix(term("", of: last.name)) {
                metrics[metrics.count - 1].terms.append(String(column.dropFirst(last.name.count + 1)))
            } else {
                metrics.append(ShardSchema.Metric(name: column, hasWeights: false))
            }
        }
        return metrics
    }
}
