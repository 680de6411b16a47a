internal import Glibc

extension Estimate {
    /// How a quotient of sums becomes a score.
    public enum ClusteredScale: Sendable, Hashable {
        case times(Double)
        /// exp(-quotient), as a perplexity of log-likelihoods.
        case perplexity
    }

    /// A quotient of sums over samples that come in clusters, such as questions on the same passage; a mean where weights are 1.
    ///
    /// With the residuals e_i = value_i - quotient * weight_i: SE = sqrt(C / (C - 1) * sum over the C clusters of (sum of
    /// their residuals)^2) / sum of the weights (Miller 2024), interval by Student's t with C - 1 degrees of freedom.
    /// - Parameter clusters: One per sample.
    public static func clustered(
        _ samples: [WeightedValue], clusters: [String], scale: ClusteredScale = .times(1)
    ) -> Estimate {
        let method: EstimateMethod = scale == .perplexity ? .clusteredLog : .clustered
        if let gap = Self.gap(in: samples) { return .absent(method, count: samples.count, gap) }
        let weight = CompensatedSum.of(samples.lazy.map(\.weight))
        guard weight > 0 else { return .absent(method, count: samples.count, .noWeight) }
        let quotient = CompensatedSum.of(samples.lazy.map(\.value)) / weight
        var estimate = Estimate(
            count: samples.count, value: scale.apply(quotient), standardError: nil, interval: nil, method: method,
            gap: .oneCluster)
        estimate.clusterCount = Set(clusters).count
        let residuals = zip(samples, clusters).map { (value: $0.value - quotient * $0.weight, cluster: $1) }
        // The residuals' mean is zero, so this is the standard error of their mean.
        guard let error = clusteredStandardError(of: residuals), let clusterCount = estimate.clusterCount else {
            return estimate
        }
        let spread = error * Double(samples.count) / weight
        if scale == .times(1), spread == 0, let interval = Self.interval(ofEqual: samples, clusterCount: clusterCount) {
            estimate.standardError = 0
            estimate.interval = interval
            estimate.gap = nil
            return estimate
        }
        let half = StudentT.quantile((1 + ConfidenceInterval.level) / 2, degreesOfFreedom: clusterCount - 1) * spread
        let ends = [scale.apply(quotient - half), scale.apply(quotient + half)].sorted()
        let interval = ConfidenceInterval(lower: ends[0], upper: ends[1])
        guard let value = estimate.value, value.isFinite, interval.isFinite else {
            return .absent(method, count: samples.count, .overflow)
        }
        estimate.standardError = scale.spread(spread, at: value)
        estimate.interval = interval
        estimate.gap = nil
        return estimate
    }
}

extension Estimate {
    /// Wilson's interval over the clusters where all samples are 0, or all are 1: no spread is no certainty.
    private static func interval(ofEqual samples: [WeightedValue], clusterCount: Int) -> ConfidenceInterval? {
        guard samples.allSatisfy({ $0.weight == 1 }) else { return nil }
        if samples.allSatisfy({ $0.value == 0 }) { return .wilson(successes: 0, count: clusterCount) }
        if samples.allSatisfy({ $0.value == 1 }) { return .wilson(successes: clusterCount, count: clusterCount) }
        return nil
    }
}

extension Estimate.ClusteredScale {
    fileprivate func apply(_ quotient: Double) -> Double {
        switch self {
        case .times(let factor): factor * quotient
        case .perplexity: exp(-quotient)
        }
    }

    /// The standard error of the score, by the delta method.
    fileprivate func spread(_ error: Double, at score: Double) -> Double {
        switch self {
        case .times(let factor): abs(factor) * error
        case .perplexity: score * error
        }
    }
}
