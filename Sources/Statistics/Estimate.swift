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
    /// Where every such score lies; nil where it has no bounds or they are not known.
    public var range: ClosedRange<Double>?
    /// Of Student's t; nil where the interval is without.
    public var degreesOfFreedom: Double?

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

    /// An estimate without a score.
    static func absent(_ method: EstimateMethod, count: Int, _ gap: EstimateGap) -> Estimate {
        .init(count: count, value: nil, standardError: nil, interval: nil, method: method, gap: gap)
    }
}

/// How an estimate and its interval were computed.
public enum EstimateMethod: String, Sendable, Hashable, CaseIterable {
    /// Proportion of ones; SE = s / sqrt(n) with n - 1; Blaker's exact interval.
    case proportion = "proportion"
    /// Mean of bounded scores; SE = s / sqrt(n) with n - 1; the score interval with Student's t.
    case bounded = "bounded"
    /// Mean; SE = s / sqrt(n) with n - 1; Student's t, corrected for skewness.
    case student = "student"
    /// exp(-mean); SE by the delta method; interval is the exponential of that of -mean, as `student`.
    case logNormal = "delta-log"
    /// A quotient of sums; SE by the delta method (linearised ratio); interval as `student`.
    case ratio = "delta-ratio"
    /// A quotient of sums of bounded scores; SE as `ratio`; interval as `bounded`.
    case boundedRatio = "bounded-ratio"
    /// F1; SE as `ratio`, or from the bootstrap; interval from that of the share of true positives, as `proportion`.
    case f1 = "f1"
    /// exp of a quotient of sums; SE by the delta method; interval is the exponential of the quotient's interval.
    case logRatio = "delta-log-ratio"
    /// A bounded score that is no quotient; SE from the bootstrap or the jackknife; interval as `bounded`, from the jackknife.
    case jackknife = "jackknife"
    /// As `jackknife`, for scores above 0 that have no upper bound: on the log scale.
    case jackknifeLog = "jackknife-log"
    /// exp(-mean); SE from the bootstrap; interval as `logNormal`.
    case bootstrapLog = "bootstrap-log"
    /// The median; SE from the bootstrap; interval between the values at the ends of the interval for a half (Woodruff 1952).
    case quantile = "quantile"
    /// The calibration error; SE and interval from normal gaps in the bins.
    case calibration = "calibration"
    /// A mean or quotient over samples in clusters; interval as `student`, over clusters.
    case clustered = "clustered"
    /// As `clustered`, of bounded scores; interval as `bounded`, over clusters.
    case clusteredBounded = "clustered-bounded"
    /// F1 over samples in clusters; interval from that of the share of true positives, as `clusteredBounded`.
    case clusteredF1 = "clustered-f1"
    /// exp of a quotient over samples in clusters; interval is the exponential of the quotient's interval.
    case clusteredLog = "clustered-log"
    /// Of several tasks, each counted by its samples.
    case pooled = "pooled"
    /// Of several tasks, each counted alike.
    case averaged = "averaged"
}

/// Why an estimate or a part of it is missing.
public enum EstimateGap: Sendable, Hashable {
    case noSamples
    /// A spread needs two samples.
    case oneSample
    /// A spread between clusters needs two.
    case oneCluster
    /// All samples have one value, and where others might be is not known.
    case noSpread
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
