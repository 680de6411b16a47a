internal import Evaluation
internal import Statistics

/// A score's numbers as texts with the same number of decimals.
struct ScoreTexts {
    var value: String
    var standardError: String
    var lower: String
    var upper: String

    static let absent = "n/a"

    init(value: Double?, standardError: Double?, interval: ConfidenceInterval?) {
        let decimals = NumberText.decimals(for: value ?? 0)
        func text(_ number: Double?) -> String {
            number.map { NumberText.fixed($0, decimals: decimals) } ?? Self.absent
        }
        self.value = text(value)
        self.standardError = text(standardError)
        self.lower = text(interval?.lower)
        self.upper = text(interval?.upper)
    }

    init(_ estimate: Estimate) {
        self.init(value: estimate.value, standardError: estimate.standardError, interval: estimate.interval)
    }

    /// The interval, such as "[0.31, 0.42]".
    var interval: String {
        self.lower == Self.absent ? Self.absent : "[\(self.lower), \(self.upper)]"
    }

    /// The standard error with its sign, such as "± 0.0498"; empty if there is none.
    var spread: String {
        self.standardError == Self.absent ? "" : "± \(self.standardError)"
    }
}

extension MetricDefinition {
    /// The metric with its filter, such as "exact_match (strict-match)".
    var title: String { Self.title(self.metric.name, filter: self.filterName) }

    static func title(_ metric: String, filter: String?) -> String {
        guard let filter else { return metric }
        return "\(metric) (\(filter))"
    }

    /// The filter's name; nil where the task names none.
    var filterName: String? { self.filter.isEmpty || self.filter == "none" ? nil : self.filter }

    /// An arrow in the direction of better scores.
    var arrow: String { self.higherIsBetter ? "↑" : "↓" }

    var direction: String { self.higherIsBetter ? "higher is better" : "lower is better" }
}
