internal import Glibc

/// One sample's part in a quotient over all samples.
public struct WeightedValue: Sendable, Hashable {
    public var value: Double
    /// At least 0; words or bytes, for example, and 1 for a mean.
    public var weight: Double

    public init(value: Double, weight: Double) {
        self.value = value
        self.weight = weight
    }
}

/// A quotient of sums (a mean where all weights are 1) and how uncertain it is, over samples or over clusters of them.
///
/// With the residuals e_i = value_i - quotient * weight_i, and C units (samples, or clusters with the sum of their e_i):
/// SE = sqrt(C / (C - 1) * sum e^2) / sum of the weights. That is s / sqrt(n) for a mean, the delta method for a quotient,
/// and Miller's (2024) for clusters.
struct Spread {
    var quotient: Double
    /// Units: clusters, or samples where they count as independent.
    var units: Int
    /// As many independent units of one size say as much; at least 1.
    var effectiveUnits: Int
    /// The standard error as reports print it.
    var standardError: Double
    /// The standard error for the interval; `inflated` says how it differs.
    var caution: Double
    /// For `caution`.
    var degreesOfFreedom: Double
    /// Of a unit's residual.
    var skewness: Double

    /// - Parameters:
    ///   - samples: Finite, of weights that are not negative and not all 0.
    ///   - clusters: One per sample; nil for independent samples.
    ///   - range: Where value / weight of each sample lies; nil where that is not known.
    ///   - isJackknifed: Whether residuals are influences, which leave nothing to correct where sizes differ.
    /// - Returns: nil for fewer than two units.
    init?(
        _ samples: [WeightedValue], quotient: Double, clusters: [some Hashable]?, range: ClosedRange<Double>?,
        isJackknifed: Bool = false
    ) {
        let count = Double(samples.count)
        let weight = CompensatedSum.of(samples.lazy.map(\.weight))
        var residuals = samples.map { $0.value - quotient * $0.weight }
        // They add up to zero but for the rounding of the quotient, which this takes out.
        let rest = CompensatedSum.of(residuals) / weight
        if rest != 0 { for index in residuals.indices { residuals[index] -= rest * samples[index].weight } }
        let grouped = clusters.map { Clusters($0, residuals, samples) } ?? Clusters(residuals, samples)
        let units = Double(grouped.residuals.count)
        guard units > 1 else { return nil }
        // Errors are scaled so that squares of tiny and of huge ones are numbers.
        let largest = grouped.residuals.reduce(0) { max($0, abs($1)) }
        guard largest.isFinite else { return nil }
        let scale = largest > 0 ? largest : 1
        let relative = grouped.residuals.map { $0 / scale }
        let squares = CompensatedSum.of(relative.lazy.map { $0 * $0 })
        self.quotient = quotient
        self.units = grouped.residuals.count
        let sizes = grouped.weights.map { $0 * count / weight }
        self.effectiveUnits = max(
            1, Int((count * count / CompensatedSum.of(sizes.lazy.map { $0 * $0 })).rounded(.down)))
        self.standardError = (units / (units - 1) * squares).squareRoot() * scale / weight
        self.caution = self.standardError
        self.degreesOfFreedom = units - 1
        self.skewness = 0
        guard residuals.contains(where: { $0 != 0 }) else { return }
        if units > 2, squares > 0 {
            let cubes = CompensatedSum.of(relative.lazy.map { $0 * $0 * $0 })
            let third = cubes / units / pow(squares / units, 1.5)
            self.skewness = third * (units * (units - 1)).squareRoot() / (units - 2)
        }
        // Where the residuals of each cluster cancel out, all of them are alike.
        let fourth = CompensatedSum.of(relative.lazy.map { $0 * $0 * $0 * $0 })
        let active = squares > 0 ? squares * squares / fourth : units
        self.inflate(
            by: exp2(-active), samples: samples, residuals: residuals, weight: weight, sizes: sizes,
            counts: grouped.counts, range: range, isUnbiased: isJackknifed)
    }

    /// Sets `caution` and its degrees of freedom.
    ///
    /// The spread is not yet seen where few units carry it: of k units that differ from the rest (k = (sum e^2)^2 / sum e^4)
    /// we learn little about the others. Then `doubt` = 2^-k of the way to the worst case is added: scores at the ends of
    /// their range, and clusters whose samples are all alike.
    private mutating func inflate(
        by doubt: Double, samples: [WeightedValue], residuals: [Double], weight: Double, sizes: [Double],
        counts: [Double], range: ClosedRange<Double>?, isUnbiased: Bool
    ) {
        let count = Double(samples.count)
        let squares = CompensatedSum.of(residuals.lazy.map { $0 / weight * ($0 / weight) })
        var single = count / (count - 1) * squares
        if let range {
            let room = (self.quotient - range.lowerBound) * (range.upperBound - self.quotient)
            let worst = room * CompensatedSum.of(samples.lazy.map { $0.weight / weight * ($0.weight / weight) })
            if worst > single { single += doubt * (worst - single) }
        }
        // How much a cluster of samples that are all alike adds to the variance; 1 where each sample is its own.
        let most = CompensatedSum.of(counts.lazy.map { $0 * $0 }) / count
        var correlation = 1.0
        if most > 1 {
            let design = self.standardError * self.standardError / (count / (count - 1) * squares)
            correlation = ((max(0.5, design) - 1) / (most - 1))
            correlation = min(1, correlation)
            correlation += doubt * (1 - correlation)
            single *= 1 + (most - 1) * correlation
        }
        let (degrees, bias) = Self.satterthwaite(sizes: sizes, correlation: min(1, max(0, correlation)))
        self.degreesOfFreedom = degrees
        self.caution = (single * (isUnbiased ? 1 : bias)).squareRoot()
    }

    /// Degrees of freedom of the variance of the residuals' sum, and what corrects its bias (Bell and McCaffrey 2002), where
    /// a unit of size u has the variance u (1 + (u - 1) `correlation`).
    static func satterthwaite(sizes: [Double], correlation: Double) -> (degrees: Double, bias: Double) {
        let units = Double(sizes.count)
        if sizes.allSatisfy({ $0 == sizes[0] }) { return (units - 1, 1) }
        let total = sizes.reduce(0, +)
        var (all, square, part, squarePart, partSquare, shares) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for size in sizes {
            let (variance, share) = (size * (1 + (size - 1) * correlation), size / total)
            all += variance
            square += variance * variance
            part += variance * share
            squarePart += variance * variance * share
            partSquare += variance * share * share
            shares += share * share
        }
        // Trace and squared norm of the residuals' covariance: D - d w' - w d' + tr(D) w w'.
        let trace = all - 2 * part + shares * all
        let norm =
            square + 2 * shares * square + all * all * shares * shares - 4 * squarePart + 2 * all * partSquare
            + 2 * part * part - 4 * all * shares * part
        guard trace > 0, norm > 0 else { return (1, 1) }
        return (min(units - 1, max(1, trace * trace / norm)), all / trace * (units - 1) / units)
    }
}

extension Spread {
    /// The units' sums.
    private struct Clusters {
        var residuals: [Double]
        var weights: [Double]
        /// Samples in each.
        var counts: [Double]

        init(_ residuals: [Double], _ samples: [WeightedValue]) {
            self.residuals = residuals
            self.weights = samples.map(\.weight)
            self.counts = [Double](repeating: 1, count: samples.count)
        }

        /// In order of appearance, so that the rounding is the same each time.
        init<Cluster: Hashable>(_ clusters: [Cluster], _ residuals: [Double], _ samples: [WeightedValue]) {
            var numbers: [Cluster: Int] = [:]
            var sums: [CompensatedSum] = []
            self.weights = []
            self.counts = []
            for (index, cluster) in clusters.enumerated() where index < samples.count {
                let number = numbers[cluster, default: sums.count]
                if number == sums.count {
                    numbers[cluster] = number
                    sums.append(CompensatedSum())
                    self.weights.append(0)
                    self.counts.append(0)
                }
                sums[number].add(residuals[index])
                self.weights[number] += samples[index].weight
                self.counts[number] += 1
            }
            self.residuals = sums.map(\.value)
        }
    }
}
