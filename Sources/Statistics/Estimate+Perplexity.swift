internal import Glibc

/// One sample's part in a quotient over all samples.
public struct WeightedValue: Sendable, Hashable {
    public var value: Double
    /// At least 0; words or bytes, for example.
    public var weight: Double

    public init(value: Double, weight: Double) {
        self.value = value
        self.weight = weight
    }
}

extension Estimate {
    /// 1 / ln 2.
    public static let bitsPerNat = 1 / log(2.0)

    /// exp(-mean) of the samples' log-likelihoods in nat.
    public static func perplexity(ofLogLikelihoods values: [Double]) -> Estimate {
        if let gap = Self.gap(in: values) { return .absent(.logNormal, count: values.count, gap) }
        return .make(
            .logNormal, Moments(of: values.map { -$0 }), value: { exp($0) }, standardError: { exp($0) * $1 },
            interval: { $0.exponentiated })
    }

    /// exp(-sum of the log-likelihoods / sum of the weights), log-likelihoods in nat.
    public static func weightedPerplexity(ofLogLikelihoods values: [WeightedValue]) -> Estimate {
        let method = EstimateMethod.logRatio
        if let gap = Self.gap(in: values) { return .absent(method, count: values.count, gap) }
        guard let ratio = Moments(ratioOf: values) else { return .absent(method, count: values.count, .noWeight) }
        return .make(
            method, ratio, value: { exp(-$0) }, standardError: { exp(-$0) * $1 },
            interval: { ConfidenceInterval(lower: -$0.upper, upper: -$0.lower).exponentiated })
    }

    /// sum of the values / sum of the weights.
    public static func ratio(of values: [WeightedValue]) -> Estimate {
        let method = EstimateMethod.ratio
        if let gap = Self.gap(in: values) { return .absent(method, count: values.count, gap) }
        guard let ratio = Moments(ratioOf: values) else { return .absent(method, count: values.count, .noWeight) }
        return .make(method, ratio, value: { $0 }, standardError: { $1 }, interval: { $0 })
    }

    /// -sum of the log-likelihoods / (sum of the weights * ln 2), log-likelihoods in nat, weights in bytes.
    public static func bitsPerByte(ofLogLikelihoods values: [WeightedValue]) -> Estimate {
        let method = EstimateMethod.ratio
        if let gap = Self.gap(in: values) { return .absent(method, count: values.count, gap) }
        guard let ratio = Moments(ratioOf: values) else { return .absent(method, count: values.count, .noWeight) }
        let ln2 = log(2.0)
        return .make(
            method, ratio, value: { -$0 / ln2 }, standardError: { $1 / ln2 },
            interval: { .init(lower: -$0.upper / ln2, upper: -$0.lower / ln2) })
    }
}

extension Moments {
    /// The quotient of the sums of values and weights, as `mean`, and its standard error; nil if the weights' sum is 0.
    ///
    /// Delta method: with the residuals e_i = value_i - ratio * weight_i, which add up to zero,
    /// SE = sqrt(n / (n - 1) * sum e_i^2) / sum of the weights.
    fileprivate init?(ratioOf samples: [WeightedValue]) {
        let weight = CompensatedSum.of(samples.lazy.map(\.weight))
        guard weight > 0 else { return nil }
        let ratio = CompensatedSum.of(samples.lazy.map(\.value)) / weight
        var standardError: Double?
        if samples.count > 1 {
            let squares = CompensatedSum.of(
                samples.lazy.map { sample in
                    let residual = sample.value - ratio * sample.weight
                    return residual * residual
                })
            let n = Double(samples.count)
            standardError = (n / (n - 1) * squares).squareRoot() / weight
        }
        self.init(count: samples.count, mean: ratio, standardError: standardError)
    }

    private init(count: Int, mean: Double, standardError: Double?) {
        self.count = count
        self.mean = mean
        self.standardError = standardError
    }
}
