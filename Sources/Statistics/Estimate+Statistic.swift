internal import CBoostMath
internal import Glibc

/// Scores that are no quotient of sums.
extension Estimate {
    /// A score with what each sample does to it, as a jackknife finds it.
    ///
    /// - Parameters:
    ///   - score: NaN if it is not defined for the samples.
    ///   - influences: One per sample: (n - 1) times what the score loses without it. Their mean has no meaning.
    ///   - clusters: One per sample; nil for independent samples.
    ///   - range: Where such scores lie; nil for those above 0 without an upper bound.
    ///   - bootstrapError: To be reported in place of the jackknife's.
    ///   - units: How many independent samples bound the score where no sample changes it; nil for all.
    ///   - sizes: How much each sample counts in the score, in any unit; nil for all alike.
    public static func statistic(
        score: Double, influences: [Double], clusters: [some Hashable]?, in range: ClosedRange<Double>?,
        bootstrapError: Double? = nil, units: Int? = nil, sizes: [Double]? = nil
    ) -> Estimate {
        let method: EstimateMethod =
            clusters != nil ? .clusteredBounded : range == nil ? .jackknifeLog : .jackknife
        guard !influences.isEmpty else { return .absent(method, count: 0, .noSamples) }
        guard score.isFinite else { return .absent(method, count: influences.count, .undefined) }
        var estimate = Estimate(
            count: influences.count, value: score, standardError: nil, interval: nil, method: method,
            gap: clusters == nil ? .oneSample : .oneCluster)
        estimate.clusterCount = clusters.map { Set($0).count }
        estimate.range = range.flatMap { $0.covers(score) ? $0 : nil }
        let inside = estimate.range?.nearest(to: score) ?? score
        guard influences.count > 1, estimate.clusterCount ?? 2 > 1 else { return estimate }
        guard influences.allSatisfy(\.isFinite) else {
            estimate.gap = .undefined
            return estimate
        }
        let mean = CompensatedSum.of(influences) / Double(influences.count)
        let total = sizes.map { CompensatedSum.of($0) / Double(influences.count) } ?? 0
        let samples = influences.indices.map { index -> WeightedValue in
            let weight = total > 0 ? (sizes?[index] ?? total) / total : 1
            return .init(value: inside * weight + (influences[index] - mean), weight: weight)
        }
        guard
            var spread = Spread(
                samples, quotient: inside, clusters: clusters, range: estimate.range, isJackknifed: sizes != nil)
        else {
            estimate.gap = .overflow
            return estimate
        }
        if let units, clusters == nil { spread.effectiveUnits = min(spread.effectiveUnits, max(1, units)) }
        if range == nil, score > 0 {
            // On the log scale, where the errors are relative ones.
            estimate.standardError = bootstrapError ?? spread.standardError
            estimate.gap = nil
            guard spread.caution > 0 else {
                estimate.gap = .noSpread
                return estimate
            }
            estimate.degreesOfFreedom = spread.degreesOfFreedom
            let interval = ConfidenceInterval.skewed(
                mean: log(score), standardError: spread.caution / score, degreesOfFreedom: spread.degreesOfFreedom,
                units: spread.units, skewness: spread.skewness, tail: .none, isWide: true
            ).exponentiated
            if interval.isFinite { estimate.interval = interval } else { estimate.gap = .overflow }
            return estimate
        }
        estimate.complete(spread, scale: .times(1), error: nil)
        if let bootstrapError, estimate.standardError != nil, bootstrapError.isFinite {
            estimate.standardError = bootstrapError
        }
        return estimate
    }

    /// The median: the value in the middle, of an even count the upper one.
    ///
    /// - Parameters:
    ///   - clusters: One per sample; nil for independent samples.
    ///   - range: Where each value lies; nil if that is not known.
    ///   - bootstrapError: To be reported; nil for that of a bootstrap without end (Maritz and Jarrett 1978).
    public static func median(
        of values: [Double], clusters: [some Hashable]?, in range: ClosedRange<Double>?, bootstrapError: Double? = nil
    ) -> Estimate {
        let method = EstimateMethod.quantile
        if let gap = Self.gap(in: values) { return .absent(method, count: values.count, gap) }
        let sorted = values.sorted()
        let n = Double(values.count)
        let median = sorted[values.count / 2]
        var estimate = Estimate(
            count: values.count, value: median, standardError: nil, interval: nil, method: method,
            gap: clusters == nil ? .oneSample : .oneCluster)
        estimate.clusterCount = clusters.map { Set($0).count }
        estimate.range = range
        guard values.count > 1, estimate.clusterCount ?? 2 > 1 else { return estimate }
        estimate.gap = nil
        func value(_ rank: Int) -> Double? {
            rank < 1 ? range?.lowerBound : rank > sorted.count ? range?.upperBound : sorted[rank - 1]
        }
        let first = Self.medianRank(of: values.count)
        let ranks =
            clusters.map { Self.medianRanks(median, of: values, clusters: $0) } ?? (first, values.count + 1 - first)
        if let ranks, let lower = value(ranks.lower), let upper = value(ranks.upper) {
            estimate.interval = .init(lower: lower, upper: upper)
        }
        if estimate.interval == nil
            || estimate.interval?.lower == estimate.interval?.upper && sorted.first == sorted.last
        {
            estimate.interval = range.flatMap { .equal(median, units: estimate.clusterCount ?? values.count, in: $0) }
            if estimate.interval == nil { estimate.gap = .noSpread }
        }
        if let bootstrapError, bootstrapError.isFinite {
            estimate.standardError = bootstrapError
            return estimate
        }
        // Drawn anew, the median is at most the j-th value if more than half of the draws are.
        let rank = Double(values.count / 2) + 1
        var (before, mean, squares) = (0.0, CompensatedSum(), CompensatedSum())
        for (index, value) in sorted.enumerated() {
            let below = cboostmath_beta_lower(rank, n - rank + 1, Double(index + 1) / n)
            mean.add((below - before) * (value - median))
            squares.add((below - before) * (value - median) * (value - median))
            before = below
        }
        estimate.standardError = max(0, squares.value - mean.value * mean.value).squareRoot()
        return estimate
    }

    /// The rank of the lower end among independent values, which the true median is rarely below; 0 if there is none.
    private static func medianRank(of count: Int) -> Int {
        let n = Double(count)
        let tail = ConfidenceInterval.exactError(of: count) / 2
        var (rank, end) = (0, count / 2 + 1)
        while end - rank > 1 {
            let middle = (rank + end) / 2
            // Fewer than `middle` values are below the true median, each of them with a chance of a half.
            if cboostmath_beta_upper(Double(middle), n - Double(middle) + 1, 0.5) <= tail {
                rank = middle
            } else {
                end = middle
            }
        }
        return rank
    }

    /// The ranks of the ends among values in clusters: those at the ends of the interval for the share of a half.
    private static func medianRanks(
        _ median: Double, of values: [Double], clusters: [some Hashable]
    ) -> (lower: Int, upper: Int)? {
        let n = Double(values.count)
        let below = values.map { WeightedValue(value: $0 < median ? 1 : $0 == median ? 0.5 : 0, weight: 1) }
        let share = CompensatedSum.of(below.lazy.map(\.value)) / n
        guard let spread = Spread(below, quotient: share, clusters: clusters, range: 0...1),
            let half = ConfidenceInterval.score(
                mean: 0.5, standardError: spread.caution, degreesOfFreedom: spread.degreesOfFreedom, in: 0...1)
        else { return nil }
        return (Int((half.lower * n).rounded(.down)), Int((half.upper * n).rounded(.up)) + 1)
    }

    /// The expected calibration error: the mean of the bins' absolute gaps between confidence and share of right answers, each
    /// counted by its samples.
    ///
    /// Noise makes it too large, so that the score is no center of its interval. The interval holds the errors that are `c`
    /// times the measured gaps, or gaps that are all alike, c >= 0, for which a measurement with normal noise gives neither so little nor so much in 2.5 %.
    /// - Parameters:
    ///   - bins: The samples' numbers, each once.
    ///   - clusters: One per sample; nil for independent samples.
    public static func calibration(
        _ confidences: [Double], isRight: [Double], bins: [[Int]], clusters: [some Hashable]?
    ) -> Estimate {
        let method = EstimateMethod.calibration
        let total = isRight.count
        if let gap = Self.gap(in: confidences) ?? Self.gap(in: isRight) { return .absent(method, count: total, gap) }
        func mean(_ values: [Double], _ bin: [Int]) -> Double {
            CompensatedSum.of(bin.lazy.map { values[$0] }) / Double(bin.count)
        }
        let filled = bins.filter { !$0.isEmpty }
        let shares = filled.map { Double($0.count) / Double(total) }
        let distances = filled.map { mean(confidences, $0) - mean(isRight, $0) }
        let gaps = zip(shares, distances).map { $0 * $1 }
        let score = gaps.reduce(0) { $0 + abs($1) }
        var estimate = Estimate(
            count: total, value: score, standardError: nil, interval: nil, method: method,
            gap: clusters == nil ? .oneSample : .oneCluster)
        estimate.clusterCount = clusters.map { Set($0).count }
        estimate.range = 0...1
        guard total > 1, estimate.clusterCount ?? 2 > 1 else { return estimate }
        var design = 1.0
        if let clusters {
            var residuals = [WeightedValue](repeating: .init(value: 0, weight: 1), count: total)
            for (bin, distance) in zip(filled, distances) {
                for row in bin { residuals[row].value = confidences[row] - isRight[row] - distance }
            }
            let single = Spread(residuals, quotient: 0, clusters: nil as [Int]?, range: nil)
            if let single, single.standardError > 0,
                let grouped = Spread(residuals, quotient: 0, clusters: clusters, range: nil)
            {
                design = max(1, grouped.caution * grouped.caution / (single.standardError * single.standardError))
            }
        }
        // A bin with right answers alone, or wrong ones, has noise, too: half an answer of each kind is added.
        let errors = zip(shares, filled).map { share, bin in
            let size = Double(bin.count)
            let right = (mean(isRight, bin) * size + 0.5) / (size + 1)
            return share * (right * (1 - right) / size * design).squareRoot()
        }
        var random = SplitMix(state: 0)
        let noise = (0..<2000).map { _ in errors.map { $0 * random.normal() } }
        func draws(_ factor: Double, _ gaps: [Double]) -> [Double] {
            noise.map { row in
                var sum = 0.0
                for (gap, error) in zip(gaps, row) { sum += abs(factor * gap + error) }
                return sum
            }
        }
        let tail = (1 - ConfidenceInterval.level) / 2 * Double(noise.count)
        /// The largest factor up to a bound for which `holds`, which then stops to hold; nil if it does not at 0.
        func last(_ gaps: [Double], _ holds: ([Double]) -> Bool) -> Double? {
            guard holds(draws(0, gaps)) else { return nil }
            var (low, high) = (0.0, 2.0)
            while high < 1e6, holds(draws(high, gaps)) { (low, high) = (high, 2 * high) }
            for _ in 0..<20 {
                let middle = (low + high) / 2
                if holds(draws(middle, gaps)) { low = middle } else { high = middle }
            }
            return high
        }
        let repeated = draws(1, gaps)
        let mean = repeated.reduce(0, +) / Double(noise.count)
        let squares = repeated.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        estimate.standardError = (squares / Double(noise.count - 1)).squareRoot()
        estimate.gap = nil
        // The measured gaps differ more than the true ones do, which makes noise count for more; equal ones, for less.
        let shapes = [gaps, shares.map { $0 * score }]
        let lower = shapes.compactMap { gaps in last(gaps) { drawn in Double(drawn.count { $0 >= score }) < tail } }
        let upper = shapes.compactMap { gaps in last(gaps) { drawn in Double(drawn.count { $0 <= score }) >= tail } }
        // Less than noise alone would give: then what noise gives is all that can be said.
        let noiseAlone = draws(0, gaps).sorted()[noise.count - 1 - Int(tail)]
        estimate.interval = ConfidenceInterval(
            lower: lower.count < shapes.count ? 0 : min(1, lower.min() ?? 0) * score,
            upper: max(upper.max().map { $0 * score } ?? noiseAlone, score)
        ).clamped(to: 0...1)
        return estimate
    }
}

/// Steele, Lea and Flood's generator: the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A standard normal number (Box and Muller 1958).
    mutating func normal() -> Double {
        let radius = (-2 * log(Double(self.next() >> 11) * 0x1p-53 + 0x1p-54)).squareRoot()
        return radius * cos(2 * .pi * Double(self.next() >> 11) * 0x1p-53)
    }
}
