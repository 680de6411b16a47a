/// A score over samples with its uncertainty, and how both were computed.
public struct Estimate: Sendable, Hashable {
    /// Samples the estimate is over.
    public var count: Int
    /// The score; nil when it cannot be computed, and then `gap` says why.
    public var value: Double?
    /// The standard error of `value`, in its unit; nil when it cannot be computed, and then `gap` says why.
    public var standardError: Double?
    /// The 95 % interval; nil when it cannot be computed.
    public var interval: ConfidenceInterval?
    /// How `value`, `standardError` and `interval` were computed.
    public var method: EstimateMethod
    /// Why a part is missing; nil when nothing is.
    public var gap: EstimateGap?
    /// In how many clusters the samples come; nil where they count as independent.
    public var clusterCount: Int?

    public init(
        count: Int, value: Double?, standardError: Double?, interval: ConfidenceInterval?, method: EstimateMethod,
        gap: EstimateGap? = nil
    ) {
        self.count = count
        self.value = value
        self.standardError = standardError
        self.interval = interval
        self.method = method
        self.gap = gap
    }
}

/// How an estimate and its interval were computed.
public enum EstimateMethod: String, Sendable, Hashable, CaseIterable {
    /// Mean; SE = s / sqrt(n) with n - 1; interval mean +- z SE.
    case normal = "normal"
    /// Proportion of ones; SE = s / sqrt(n) with n - 1; Wilson's score interval.
    case wilson = "wilson"
    /// exp(-mean); SE by the delta method; interval is the exponential of the normal interval of -mean.
    case logNormal = "delta-log"
    /// A quotient of sums; SE by the delta method (linearised ratio); interval value +- z SE.
    case ratio = "delta-ratio"
    /// exp of a quotient of sums; SE by the delta method; interval is the exponential of the quotient's interval.
    case logRatio = "delta-log-ratio"
    /// Any score; SE is the standard deviation over samples drawn anew; interval value +- z SE.
    case bootstrap = "bootstrap"
    /// exp(-mean); SE as `bootstrap`; interval as `logNormal`.
    case bootstrapLog = "bootstrap-log"
    /// A mean or quotient over samples in clusters; interval value +- t SE with one degree of freedom less than clusters.
    case clustered = "clustered"
    /// exp of a quotient over samples in clusters; interval is the exponential of the quotient's interval.
    case clusteredLog = "clustered-log"
    /// Of several tasks, each counted by its samples; interval value +- z SE.
    case pooled = "pooled"
    /// Of several tasks, each counted alike; interval value +- z SE.
    case averaged = "averaged"
}

/// Why an estimate or a part of it is missing.
public enum EstimateGap: Sendable, Hashable {
    case noSamples
    /// A spread needs two samples.
    case oneSample
    /// A spread between clusters needs two.
    case oneCluster
    /// That many samples have a value or weight that is NaN or infinite, or a weight below zero.
    case notFinite(samples: Int)
    /// The weights add up to zero.
    case noWeight
    /// The result is beyond the range of a double.
    case overflow
    /// A part of a group has no standard error.
    case partWithoutError
    /// The score is not defined for these values.
    case undefined
}
