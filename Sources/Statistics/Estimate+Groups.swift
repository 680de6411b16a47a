extension Estimate {
    /// The score of several tasks together, each counted by its samples.
    ///
    /// SE as lm-eval pools it: sqrt(sum((n_i - 1) n_i SE_i^2) / (sum n_i - k)) / sqrt(sum n_i), over k tasks.
    public static func pooled(_ parts: [Estimate]) -> Estimate {
        let total = parts.reduce(0) { $0 + $1.count }
        return Self.together(parts, .pooled) { values in
            zip(parts, values).reduce(0) { $0 + Double($1.0.count) * $1.1 } / Double(total)
        } error: { errors in
            guard total > parts.count else { return nil }
            let squares = zip(parts, errors).reduce(0) { sum, part in
                let count = Double(part.0.count)
                return sum + (count - 1) * count * part.1 * part.1
            }
            return (squares / Double(total - parts.count) / Double(total)).squareRoot()
        }
    }

    /// The mean of several tasks' scores, each counted alike: SE = sqrt(sum SE_i^2) / k.
    public static func averaged(_ parts: [Estimate]) -> Estimate {
        let count = Double(parts.count)
        return Self.together(parts, .averaged) { values in
            values.reduce(0, +) / count
        } error: { errors in
            errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / count
        }
    }

    private static func together(
        _ parts: [Estimate], _ method: EstimateMethod, value: ([Double]) -> Double, error: ([Double]) -> Double?
    ) -> Estimate {
        let count = parts.reduce(0) { $0 + $1.count }
        let values = parts.compactMap(\.value)
        guard !parts.isEmpty, count > 0 else { return .absent(method, count: count, .noSamples) }
        guard values.count == parts.count else { return .absent(method, count: count, .undefined) }
        var estimate = Estimate(
            count: count, value: value(values), standardError: nil, interval: nil, method: method,
            gap: .partWithoutError)
        let errors = parts.compactMap(\.standardError)
        guard errors.count == parts.count, let score = estimate.value, let spread = error(errors) else {
            return estimate
        }
        estimate.standardError = spread
        // No spread is no certainty: the group is not surer than its least sure task.
        estimate.interval =
            spread == 0 ? .covering(parts.compactMap(\.interval)) : .normal(around: score, standardError: spread)
        estimate.gap = nil
        return estimate
    }
}
