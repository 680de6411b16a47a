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

/// The standard error of the mean of `values` that come in clusters, such as questions on the same passage.
///
/// sqrt(C / (C - 1) * sum over the clusters of (sum of the deviations from the mean)^2) / n, with C clusters; to be used
/// with Student's t with C - 1 degrees of freedom.
///
/// - Parameter values: Each value with the cluster it is of.
/// - Returns: nil for fewer than two clusters, and when a value is NaN or infinite.
public func clusteredStandardError<Cluster: Hashable>(of values: [(value: Double, cluster: Cluster)]) -> Double? {
    guard !values.isEmpty, values.allSatisfy(\.value.isFinite) else { return nil }
    let n = Double(values.count)
    let mean = CompensatedSum.of(values.lazy.map(\.value)) / n
    // In order of appearance, so that the rounding is the same each time.
    var numbers: [Cluster: Int] = [:]
    var sums: [CompensatedSum] = []
    for (value, cluster) in values {
        let number = numbers[cluster, default: sums.count]
        if number == sums.count {
            numbers[cluster] = number
            sums.append(CompensatedSum())
        }
        sums[number].add(value - mean)
    }
    let clusters = Double(sums.count)
    guard clusters > 1 else { return nil }
    let squares = CompensatedSum.of(sums.lazy.map { $0.value * $0.value })
    let error = (clusters / (clusters - 1) * squares).squareRoot() / n
    return error.isFinite ? error : nil
}

/// A sum whose error does not grow with the number of terms (Neumaier's variant of Kahan's summation).
///
/// Finite terms whose sum is beyond the range of a double give an infinity or NaN.
struct CompensatedSum {
    private var sum = 0.0
    private var compensation = 0.0

    var value: Double { self.sum + self.compensation }

    mutating func add(_ term: Double) {
        let next = self.sum + term
        if self.sum.magnitude >= term.magnitude {
            self.compensation += (self.sum - next) + term
        } else {
            self.compensation += (term - next) + self.sum
        }
        self.sum = next
    }

    static func of(_ terms: some Sequence<Double>) -> Double {
        var sum = CompensatedSum()
        for term in terms { sum.add(term) }
        return sum.value
    }
}

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
