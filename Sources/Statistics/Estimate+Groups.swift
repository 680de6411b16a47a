extension Estimate {
    /// The score of several tasks together, each counted by its samples.
    ///
    /// SE as lm-eval pools it: sqrt(sum((n_i - 1) n_i SE_i^2) / (sum n_i - k)) / sqrt(sum n_i), over k tasks.
    public static func pooled(_ parts: [Estimate]) -> Estimate {
        let total = Double(parts.reduce(0) { $0 + $1.count })
        let free = total - Double(parts.count)
        return Self.together(
            parts, .pooled, shares: parts.map { Double($0.count) / total },
            factors: parts.map { free > 0 ? Double($0.count - 1) * Double($0.count) / free / total : nil })
    }

    /// The mean of several tasks' scores, each counted alike: SE = sqrt(sum SE_i^2) / k.
    public static func averaged(_ parts: [Estimate]) -> Estimate {
        let share = 1 / Double(parts.count)
        return Self.together(
            parts, .averaged, shares: parts.map { _ in share }, factors: parts.map { _ in share * share })
    }

    /// - Parameters:
    ///   - shares: What each part's score is multiplied by; they add up to 1.
    ///   - factors: What each part's squared standard error is multiplied by; nil where the group has none.
    private static func together(
        _ parts: [Estimate], _ method: EstimateMethod, shares: [Double], factors: [Double?]
    ) -> Estimate {
        let count = parts.reduce(0) { $0 + $1.count }
        let values = parts.compactMap(\.value)
        guard !parts.isEmpty, count > 0 else { return .absent(method, count: count, .noSamples) }
        guard values.count == parts.count else { return .absent(method, count: count, .undefined) }
        let score = zip(shares, values).reduce(0) { $0 + $1.0 * $1.1 }
        var estimate = Estimate(
            count: count, value: score, standardError: nil, interval: nil, method: method, gap: .partWithoutError)
        let range = parts[0].range
        if parts.allSatisfy({ $0.range == range }) { estimate.range = range }
        let errors = parts.compactMap(\.standardError)
        let known = factors.compactMap { $0 }
        guard errors.count == parts.count, known.count == parts.count else { return estimate }
        let variances = zip(known, errors).map { $0 * $1 * $1 }
        let variance = variances.reduce(0, +)
        estimate.standardError = variance.squareRoot()
        estimate.gap = nil
        let intervals = parts.compactMap(\.interval)
        guard intervals.count == parts.count else {
            estimate.gap = .partWithoutError
            return estimate
        }
        // No spread is no certainty: the group is not surer than any of its tasks alone makes it.
        var (lower, upper) = (score, score)
        for (index, interval) in intervals.enumerated() {
            lower = min(lower, score - shares[index] * (values[index] - interval.lower))
            upper = max(upper, score + shares[index] * (interval.upper - values[index]))
        }
        if variance > 0 {
            // Satterthwaite (1946), with n - 1 where a part's interval is without t.
            let degrees = zip(variances, parts).reduce(0) { sum, part in
                sum + part.0 * part.0 / (part.1.degreesOfFreedom ?? Double(max(1, part.1.count - 1)))
            }
            let freedom = max(1, variance * variance / degrees)
            estimate.degreesOfFreedom = freedom
            let error = variance.squareRoot()
            let interval =
                estimate.range.flatMap {
                    ConfidenceInterval.score(
                        mean: score, standardError: error, degreesOfFreedom: freedom, in: $0)
                }
                ?? .skewed(
                    mean: score, standardError: error, degreesOfFreedom: freedom, units: 1, skewness: 0, tail: .none)
            (lower, upper) = (min(lower, interval.lower), max(upper, interval.upper))
        }
        let interval = ConfidenceInterval(lower: lower, upper: upper)
        estimate.interval = estimate.range.map { interval.clamped(to: $0) } ?? interval
        return estimate
    }
}
