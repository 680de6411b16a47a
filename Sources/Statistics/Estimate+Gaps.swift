extension Estimate {
    /// Why no score can be computed from `values`; nil if one can.
    static func gap(in values: [Double]) -> EstimateGap? {
        guard !values.isEmpty else { return .noSamples }
        let broken = values.count { !$0.isFinite }
        return broken == 0 ? nil : .notFinite(samples: broken)
    }

    static func gap(in values: [WeightedValue]) -> EstimateGap? {
        guard !values.isEmpty else { return .noSamples }
        let broken = values.count { !$0.value.isFinite || !$0.weight.isFinite || $0.weight < 0 }
        return broken == 0 ? nil : .notFinite(samples: broken)
    }

    /// An estimate without a score.
    static func absent(_ method: EstimateMethod, count: Int, _ gap: EstimateGap) -> Estimate {
        .init(count: count, value: nil, standardError: nil, interval: nil, method: method, gap: gap)
    }

    /// The estimate that is a function of a normally distributed one.
    ///
    /// - Parameters:
    ///   - value: Maps the mean to the score.
    ///   - standardError: Maps mean and standard error of the mean to that of the score.
    ///   - interval: Maps the mean's normal interval to the score's.
    static func make(
        _ method: EstimateMethod, _ moments: Moments, value: (Double) -> Double,
        standardError: (Double, Double) -> Double, interval: (ConfidenceInterval) -> ConfidenceInterval
    ) -> Estimate {
        let score = value(moments.mean)
        guard score.isFinite else { return .absent(method, count: moments.count, .overflow) }
        var estimate = Estimate(
            count: moments.count, value: score, standardError: nil, interval: nil, method: method, gap: .oneSample)
        guard let spread = moments.standardError else { return estimate }
        let scoreSpread = standardError(moments.mean, spread)
        let scoreInterval = interval(.normal(around: moments.mean, standardError: spread))
        guard scoreSpread.isFinite, scoreInterval.isFinite else {
            estimate.gap = .overflow
            return estimate
        }
        estimate.standardError = scoreSpread
        estimate.interval = scoreInterval
        estimate.gap = nil
        return estimate
    }
}
