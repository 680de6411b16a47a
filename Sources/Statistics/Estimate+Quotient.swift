internal import Glibc

/// How a quotient of sums becomes a score.
public enum QuotientScale: Sendable, Hashable {
    case times(Double)
    /// exp(-quotient), as a perplexity of log-likelihoods.
    case perplexity

    /// Where samples may be far off: log-likelihoods are at most 0, and rare texts are far below.
    var tail: ConfidenceInterval.Tail {
        switch self {
        case .times(let factor): factor < 0 ? .below : .either
        case .perplexity: .below
        }
    }

    func apply(_ quotient: Double) -> Double {
        switch self {
        case .times(let factor): factor * quotient
        case .perplexity: exp(-quotient)
        }
    }

    /// The standard error of the score, by the delta method.
    func spread(_ error: Double, at score: Double) -> Double {
        switch self {
        case .times(let factor): abs(factor) * error
        case .perplexity: score * error
        }
    }
}

extension Estimate {
    /// 1 / ln 2.
    public static let bitsPerNat = 1 / log(2.0)

    /// The mean of `values`.
    ///
    /// - Parameter range: Where each value lies, if that is known. Values of 0 and 1 alone are proportions without it, too.
    public static func mean(of values: [Double], in range: ClosedRange<Double>? = nil) -> Estimate {
        let samples = values.map { WeightedValue(value: $0, weight: 1) }
        guard range == nil || range == 0...1, let ones = Self.ones(in: values) else {
            return Self.quotient(
                samples, clusters: nil as [Int]?, scale: .times(1), in: range, range == nil ? .student : .bounded)
        }
        var estimate = Self.quotient(samples, clusters: nil as [Int]?, scale: .times(1), in: 0...1, .proportion)
        estimate.interval = .proportion(successes: ones, count: values.count)
        if estimate.standardError != nil { estimate.gap = nil }
        return estimate
    }

    /// sum of the values / sum of the weights.
    ///
    /// - Parameter range: Where each value / weight lies, if that is known.
    public static func ratio(of values: [WeightedValue], in range: ClosedRange<Double>? = nil) -> Estimate {
        Self.quotient(
            values, clusters: nil as [Int]?, scale: .times(1), in: range, range == nil ? .ratio : .boundedRatio)
    }

    /// F1 of class 1 against class 0: 2 TP / (2 TP + FP + FN).
    ///
    /// It grows with TP's share J of the samples that either side calls 1, F1 = 2 J / (1 + J). Given how many these are, TP is
    /// binomial, so that the ends of a proportion's interval become those of F1.
    ///
    /// - Parameters:
    ///   - samples: Values are 2 for a true positive, else 0; weights are how many sides say 1: 0, 1 or 2.
    ///   - clusters: One per sample; nil for independent samples.
    public static func f1(of samples: [WeightedValue], clusters: [some Hashable]?) -> Estimate {
        var estimate = Self.quotient(
            samples, clusters: clusters, scale: .times(1), in: 0...1, clusters == nil ? .f1 : .clusteredF1)
        guard estimate.value != nil else { return estimate }
        let said = samples.indices.filter { samples[$0].weight > 0 }
        let right = said.count { samples[$0].value > 0 }
        var share = ConfidenceInterval.proportion(successes: right, count: said.count)
        estimate.degreesOfFreedom = nil
        if let clusters {
            let both = said.map { WeightedValue(value: samples[$0].value > 0 ? 1 : 0, weight: 1) }
            let clustered = Self.clustered(both, clusters: said.map { clusters[$0] }, in: 0...1)
            share = clustered.interval
            estimate.degreesOfFreedom = clustered.degreesOfFreedom
        }
        estimate.interval = share.map {
            .init(lower: 2 * $0.lower / (1 + $0.lower), upper: 2 * $0.upper / (1 + $0.upper))
        }
        return estimate
    }

    /// exp(-mean) of the samples' log-likelihoods in nat.
    ///
    /// - Parameter bootstrapError: Of the score, to be used in place of the delta method's.
    public static func perplexity(ofLogLikelihoods values: [Double], bootstrapError: Double? = nil) -> Estimate {
        Self.quotient(
            values.map { .init(value: $0, weight: 1) }, clusters: nil as [Int]?, scale: .perplexity, in: nil,
            bootstrapError == nil ? .logNormal : .bootstrapLog, error: bootstrapError)
    }

    /// The standard deviation of exp(-mean) over samples drawn anew, as a bootstrap without end would find it.
    ///
    /// The draws are independent, so the expectation of exp(-k * mean) is (mean of exp(-k x / n))^n.
    /// - Returns: nil for fewer than two values, and where it is beyond the range of a double.
    public static func bootstrapErrorOfPerplexity(ofLogLikelihoods values: [Double]) -> Double? {
        guard values.count > 1, Self.gap(in: values) == nil else { return nil }
        let n = Double(values.count)
        let mean = CompensatedSum.of(values) / n
        func logExpectation(_ power: Double) -> Double {
            n * log1p(CompensatedSum.of(values.lazy.map { expm1(power * (mean - $0) / n) }) / n)
        }
        let (first, second) = (logExpectation(1), logExpectation(2))
        let error = exp(-mean) * exp(first) * expm1(max(0, second - 2 * first)).squareRoot()
        return error.isFinite ? error : nil
    }

    /// exp(-sum of the log-likelihoods / sum of the weights), log-likelihoods in nat.
    public static func weightedPerplexity(ofLogLikelihoods values: [WeightedValue]) -> Estimate {
        Self.quotient(values, clusters: nil as [Int]?, scale: .perplexity, in: nil, .logRatio)
    }

    /// -sum of the log-likelihoods / (sum of the weights * ln 2), log-likelihoods in nat, weights in bytes.
    public static func bitsPerByte(ofLogLikelihoods values: [WeightedValue]) -> Estimate {
        Self.quotient(values, clusters: nil as [Int]?, scale: .times(-Self.bitsPerNat), in: nil, .ratio)
    }

    /// A quotient of sums over samples that come in clusters, such as questions on the same passage; a mean where weights are 1.
    ///
    /// - Parameters:
    ///   - clusters: One per sample.
    ///   - range: Where each value / weight lies, if that is known. Values of 0 and 1 alone are proportions without it, too.
    public static func clustered(
        _ samples: [WeightedValue], clusters: [some Hashable], scale: QuotientScale = .times(1),
        in range: ClosedRange<Double>? = nil
    ) -> Estimate {
        var range = range
        if range == nil, scale == .times(1), samples.allSatisfy({ $0.weight == 1 }),
            Self.ones(in: samples.lazy.map(\.value)) != nil
        {
            range = 0...1
        }
        let method: EstimateMethod =
            scale == .perplexity ? .clusteredLog : range == nil ? .clustered : .clusteredBounded
        return Self.quotient(samples, clusters: clusters, scale: scale, in: range, method)
    }

    private static func quotient(
        _ samples: [WeightedValue], clusters: [some Hashable]?, scale: QuotientScale, in range: ClosedRange<Double>?,
        _ method: EstimateMethod, error: Double? = nil
    ) -> Estimate {
        if let gap = Self.gap(in: samples) { return .absent(method, count: samples.count, gap) }
        let weight = CompensatedSum.of(samples.lazy.map(\.weight))
        guard weight > 0 else { return .absent(method, count: samples.count, .noWeight) }
        let quotient = CompensatedSum.of(samples.lazy.map(\.value)) / weight
        let value = scale.apply(quotient)
        guard value.isFinite else { return .absent(method, count: samples.count, .overflow) }
        var estimate = Estimate(
            count: samples.count, value: value, standardError: nil, interval: nil, method: method,
            gap: clusters == nil ? .oneSample : .oneCluster)
        estimate.clusterCount = clusters.map { Set($0).count }
        if scale == .times(1) { estimate.range = range }
        if range?.covers(quotient) == false { estimate.range = nil }
        let inside = estimate.range?.nearest(to: quotient) ?? quotient
        guard samples.count > 1, estimate.clusterCount ?? 2 > 1 else {
            // One sample, or one cluster, still bounds the score.
            if let range = estimate.range { estimate.interval = .equal(inside, units: 1, in: range) }
            return estimate
        }
        guard let spread = Spread(samples, quotient: inside, clusters: clusters, range: estimate.range) else {
            estimate.gap = .overflow
            return estimate
        }
        estimate.complete(spread, scale: scale, error: error)
        return estimate
    }

    /// Sets standard error and interval of a score that has its value.
    ///
    /// - Parameter error: The standard error to report in place of that of `spread`. A bootstrap's is too small for an interval: of
    ///   3 samples by a fifth.
    mutating func complete(_ spread: Spread, scale: QuotientScale, error: Double? = nil) {
        guard let value = self.value else { return }
        let printed = error ?? scale.spread(spread.standardError, at: value)
        guard printed.isFinite else {
            self.gap = .overflow
            return
        }
        self.standardError = printed
        self.gap = nil
        guard spread.caution > 0 else {
            self.interval = self.range.flatMap {
                .equal($0.nearest(to: value), units: spread.effectiveUnits, in: $0)
            }
            if self.interval == nil { self.gap = .noSpread }
            return
        }
        self.degreesOfFreedom = spread.degreesOfFreedom
        if let range = self.range {
            let inside = range.nearest(to: value)
            self.interval =
                .score(
                    mean: inside, standardError: spread.caution, degreesOfFreedom: spread.degreesOfFreedom, in: range)
                // At an end there is no spread but that of rounding.
                ?? .equal(inside, units: spread.effectiveUnits, in: range)
            return
        }
        let quotient = ConfidenceInterval.skewed(
            mean: spread.quotient, standardError: spread.caution, degreesOfFreedom: spread.degreesOfFreedom,
            units: spread.units, skewness: spread.skewness, tail: scale.tail)
        let ends = [scale.apply(quotient.lower), scale.apply(quotient.upper)].sorted()
        let interval = ConfidenceInterval(lower: ends[0], upper: ends[1])
        guard interval.isFinite else {
            // A standard error that is wide but known stays.
            self.degreesOfFreedom = nil
            self.gap = .overflow
            return
        }
        self.interval = interval
    }
}

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

    /// How many of `values` are 1 if all are 0 or 1, else nil.
    private static func ones(in values: some Sequence<Double>) -> Int? {
        var ones = 0
        for value in values {
            guard value == 0 || value == 1 else { return nil }
            if value == 1 { ones += 1 }
        }
        return ones
    }
}
