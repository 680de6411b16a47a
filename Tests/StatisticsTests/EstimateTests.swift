import Foundation
import Testing

@testable import Statistics

@Suite("Estimates at the edges")
struct EstimateTests {
    @Test func noSamples() {
        for estimate in [
            Estimate.mean(of: []), .perplexity(ofLogLikelihoods: []), .weightedPerplexity(ofLogLikelihoods: []),
            .bitsPerByte(ofLogLikelihoods: []),
        ] {
            #expect(estimate.value == nil)
            #expect(estimate.standardError == nil)
            #expect(estimate.interval == nil)
            #expect(estimate.gap == .noSamples)
            #expect(estimate.count == 0)
        }
    }

    @Test("One sample has a score and no standard error")
    func oneSample() {
        for estimate in [
            Estimate.mean(of: [0.5]), .perplexity(ofLogLikelihoods: [-1]),
            .weightedPerplexity(ofLogLikelihoods: [.init(value: -3, weight: 2)]),
            .bitsPerByte(ofLogLikelihoods: [.init(value: -3, weight: 2)]),
        ] {
            #expect(estimate.value != nil)
            #expect(estimate.standardError == nil)
            #expect(estimate.interval == nil)
            #expect(estimate.gap == .oneSample)
        }
        // One answer, right or wrong, still bounds the proportion.
        let right = Estimate.mean(of: [1])
        #expect(right.standardError == nil)
        #expect(right.method == .proportion)
        #expect(right.interval?.upper == 1)
        #expect(Estimate.mean(of: [0.5], in: 0...1).interval.map { $0.lower > 0 && $0.upper < 1 } == true)
    }

    @Test("NaN and infinities make the score absent, not wrong", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(value: Double) {
        let estimates = [
            Estimate.mean(of: [1, value, 0, value]), .perplexity(ofLogLikelihoods: [-1, value, value]),
            .weightedPerplexity(ofLogLikelihoods: [.init(value: -1, weight: value), .init(value: value, weight: 1)]),
            .bitsPerByte(ofLogLikelihoods: [.init(value: -1, weight: -1), .init(value: value, weight: 1)]),
        ]
        for estimate in estimates {
            #expect(estimate.value == nil)
            #expect(estimate.gap == .notFinite(samples: 2))
        }
    }

    @Test func noWeight() {
        let samples = [WeightedValue(value: -1, weight: 0), WeightedValue(value: -2, weight: 0)]
        #expect(Estimate.weightedPerplexity(ofLogLikelihoods: samples).gap == .noWeight)
        #expect(Estimate.bitsPerByte(ofLogLikelihoods: samples).gap == .noWeight)
    }

    @Test("A result beyond the doubles is absent")
    func overflow() {
        let estimate = Estimate.perplexity(ofLogLikelihoods: [-800, -900])
        #expect(estimate.value == nil)
        #expect(estimate.gap == .overflow)
        // Score and standard error can be told, the interval cannot.
        for error in [nil, 1e219] {
            let wide = Estimate.perplexity(ofLogLikelihoods: [-1000, 0], bootstrapError: error)
            #expect(wide.value == exp(500))
            #expect(wide.standardError == error ?? 500 * exp(500))
            #expect(wide.interval == nil)
            #expect(wide.gap == .overflow)
        }
        #expect(Estimate.mean(of: [1e308, 1e308, 1e308]).gap == .overflow)
    }

    @Test func zerosAndOnesHaveTheExactInterval() {
        for (right, count) in [(9, 100), (50, 100), (91, 100), (0, 100), (1, 1), (2, 2)] {
            let answers = (0..<count).map { $0 < right ? 1.0 : 0 }
            for range in [nil, 0...1] as [ClosedRange<Double>?] {
                let estimate = Estimate.mean(of: answers, in: range)
                #expect(estimate.method == .proportion)
                #expect(estimate.interval == .proportion(successes: right, count: count))
            }
        }
        let none = Estimate.mean(of: [Double](repeating: 0, count: 100))
        #expect(none.value == 0 && none.standardError == 0 && none.interval?.lower == 0 && none.gap == nil)
        #expect((none.interval?.upper ?? 0) > 0.03)
        // With a range in per cent they are no proportions.
        #expect(Estimate.mean(of: [0, 1, 0], in: 0...100).method == .bounded)
    }

    /// Blaker (2000) proves 1 - a; here 0.94 where it is 0.06.
    @Test func theExactIntervalCoversEveryProportion() {
        for count in [1, 2, 3, 4, 6, 9, 17, 30, 52] {
            let intervals = (0...count).map { ConfidenceInterval.proportion(successes: $0, count: count) }
            for step in 1..<400 {
                let p = Double(step) / 400
                var (probability, held) = (pow(1 - p, Double(count)), 0.0)
                for (successes, interval) in intervals.enumerated() {
                    if let interval, interval.lower <= p, p <= interval.upper { held += probability }
                    probability *= Double(count - successes) / Double(successes + 1) * p / (1 - p)
                }
                #expect(held > 0.94 - 1e-9, "\(count), \(p)")
            }
        }
    }

    @Test func theExactIntervalOfMillionsIsTheNormalOne() throws {
        let interval = try #require(ConfidenceInterval.proportion(successes: 250_000, count: 1_000_000))
        #expect(
            abs(interval.upper - interval.lower - 2 * 1.959964 * 0.25.squareRoot() * 0.75.squareRoot() / 1000) < 5e-6)
    }

    @Test func proportionsOutOfRangeAreNone() {
        #expect(ConfidenceInterval.proportion(successes: 1, count: 0) == nil)
        #expect(ConfidenceInterval.proportion(successes: -1, count: 3) == nil)
        #expect(ConfidenceInterval.proportion(successes: 4, count: 3) == nil)
    }

    @Test func equalValuesAreNoCertainty() throws {
        for value in [0, 0.5, 1] {
            let estimate = Estimate.mean(of: [Double](repeating: value, count: 30), in: 0...1)
            let interval = try #require(estimate.interval)
            #expect(estimate.standardError == 0 && interval.lower <= value && value <= interval.upper)
            #expect(interval.lower >= 0 && interval.upper <= 1 && interval.upper - interval.lower > 0.05)
        }
        let unknown = Estimate.mean(of: [0.5, 0.5, 0.5])
        #expect(unknown.standardError == 0 && unknown.interval == nil && unknown.gap == .noSpread)
        #expect(Estimate.perplexity(ofLogLikelihoods: [-2, -2]).gap == .noSpread)
    }

    @Test func boundedScoresStayInTheirBounds() throws {
        var generator = SplitMix(state: 9)
        for count in [2, 3, 5, 40] {
            for _ in 0..<50 {
                let values = (0..<count).map { _ in 200 * Double.random(in: 0...1, using: &generator).rounded() - 100 }
                let estimate = Estimate.mean(of: values, in: -100...100)
                let interval = try #require(estimate.interval)
                #expect(interval.lower >= -100 && interval.upper <= 100 && interval.lower < interval.upper)
            }
        }
    }

    @Test func scoresOutsideTheirRangeHaveNoBounds() {
        let estimate = Estimate.mean(of: [2, 3, 5], in: 0...1)
        #expect(estimate.range == nil && (estimate.interval?.upper ?? 0) > 4)
    }

    @Test func theMedianHasTheValuesAroundIt() throws {
        let values = (1...99).map(Double.init)
        let estimate = Estimate.median(of: values, clusters: nil as [Int]?, in: nil)
        let interval = try #require(estimate.interval)
        #expect(
            estimate.value == 50 && interval.lower < 42 && interval.lower > 38
                && abs(interval.lower + interval.upper - 100) <= 1)
        // The normal approximation of a uniform distribution's median: 100 / (2 sqrt(99)).
        #expect(isClose(estimate.standardError, 4.97, tolerance: 0.03))
        let few = Estimate.median(of: [1, 2], clusters: nil as [Int]?, in: nil)
        #expect(few.value == 2 && few.interval == nil && few.gap == .noSpread)
        #expect(Estimate.median(of: [1, 1, 1], clusters: nil as [Int]?, in: 0...1).interval?.upper == 1)
        let pairs = Estimate.median(of: values + values, clusters: (0..<198).map { $0 % 99 }, in: nil)
        let wider = try #require(pairs.interval)
        // Exact for samples, with t for clusters: nearly the same, and not that of 198 samples.
        #expect(wider.upper - wider.lower >= interval.upper - interval.lower - 2)
    }

    /// Right as often as it says, and yet the gaps are not zero.
    @Test func aCalibratedModelMayBeCalibrated() throws {
        var generator = SplitMix(state: 5)
        let confidences = (0..<300).map { Double($0) / 300 }
        let isRight = confidences.map { Double.random(in: 0..<1, using: &generator) < $0 ? 1.0 : 0 }
        let bins = (0..<15).map { bin in Array(20 * bin..<20 * (bin + 1)) }
        let calibrated = Estimate.calibration(confidences, isRight: isRight, bins: bins, clusters: nil as [Int]?)
        #expect(try #require(calibrated.interval).lower == 0 && (calibrated.value ?? 0) > 0.02)
        let sure = confidences.map { _ in 0.99 }
        let wrong = Estimate.calibration(sure, isRight: isRight, bins: bins, clusters: nil as [Int]?)
        #expect(try #require(wrong.interval).lower > 0.35)
        #expect(wrong == Estimate.calibration(sure, isRight: isRight, bins: bins, clusters: nil as [Int]?))
    }

    /// Of 19 samples that a side calls 1, both do for 9: Blaker's interval of 9 of 19, and F1 = 2 J / (1 + J).
    @Test func f1HasTheExactIntervalOfItsShare() throws {
        let samples =
            [WeightedValue](repeating: .init(value: 2, weight: 2), count: 9)
            + [WeightedValue](repeating: .init(value: 0, weight: 1), count: 10)
            + [WeightedValue](repeating: .init(value: 0, weight: 0), count: 11)
        let estimate = Estimate.f1(of: samples, clusters: nil as [Int]?)
        let share = try #require(ConfidenceInterval.proportion(successes: 9, count: 19))
        #expect(estimate.value == 18.0 / 28 && estimate.method == .f1 && estimate.degreesOfFreedom == nil)
        #expect(isClose(estimate.interval?.lower, 2 * share.lower / (1 + share.lower)))
        #expect(isClose(estimate.interval?.upper, 2 * share.upper / (1 + share.upper)))
        // The standard error is that of the quotient.
        #expect(estimate.standardError == Estimate.ratio(of: samples, in: 0...1).standardError)
        // Samples that nobody calls 1 say nothing about it.
        let fewer = Estimate.f1(of: Array(samples.prefix(20)), clusters: nil as [Int]?)
        #expect(fewer.interval == estimate.interval)
        // Three of each in a cluster say as much as a third of them, or less.
        let clusters = samples.indices.map { $0 < 9 ? $0 / 3 : $0 < 19 ? 3 + $0 / 4 : $0 }
        let clustered = Estimate.f1(of: samples, clusters: clusters)
        #expect(clustered.method == .clusteredF1 && clustered.value == estimate.value)
        #expect((clustered.interval?.lower ?? 1) < (estimate.interval?.lower ?? 0))
        #expect((clustered.interval?.upper ?? 0) > (estimate.interval?.upper ?? 1))
        let none = Estimate.f1(of: Array(samples.suffix(5)), clusters: nil as [Int]?)
        #expect(none.gap == .noWeight && none.value == nil && none.interval == nil)
        let one = Estimate.f1(of: Array(samples.prefix(1)), clusters: nil as [Int]?)
        #expect(one.interval?.upper == 1 && (one.interval?.lower ?? 1) < 0.2 && one.standardError == nil)
    }

    /// Drawn from squares of normal numbers, whose mean is 1; with t alone it would be 82 to 84 %.
    @Test(arguments: [2, 3, 4, 5, 6, 7, 8]) func fewTextsHoldThePerplexity(count: Int) {
        var generator = SplitMix(state: UInt64(count))
        let held = (0..<4000).count { _ in
            let values = (0..<count).map { _ -> Double in
                let number = generator.normal()
                return -number * number
            }
            let interval = Estimate.perplexity(ofLogLikelihoods: values).interval
            return interval.map { $0.lower <= exp(1) && exp(1) <= $0.upper } ?? true
        }
        #expect(held >= 3700 && held <= 3840, "\(held)")
    }

    /// A bootstrap's error of few samples is too small: that of 3 by a fifth.
    @Test func theBootstrapsErrorLeavesTheIntervalAsItIs() {
        let values = [-3.0, -8, -5]
        let plain = Estimate.perplexity(ofLogLikelihoods: values)
        let drawn = Estimate.perplexity(ofLogLikelihoods: values, bootstrapError: 200)
        #expect(drawn.standardError == 200 && drawn.method == .bootstrapLog && drawn.interval == plain.interval)
    }

    /// P(fewer than 10 of 30 below the median) = 0.0214, fewer than 41 of 100 0.0284, fewer than 133 of 300 0.0216 (SciPy).
    @Test(arguments: [(30, 10), (100, 41), (300, 133)]) func theMedianIsBetweenRanks(count: Int, rank: Int) {
        let estimate = Estimate.median(of: (1...count).map(Double.init), clusters: nil as [Int]?, in: nil)
        #expect(estimate.interval == .init(lower: Double(rank), upper: Double(count + 1 - rank)))
    }

    @Test func sizesThatDifferLeaveFewerDegreesOfFreedom() {
        let influences = (0..<12).map { Double($0 * 5 % 7) - 3 }
        let sizes = (0..<12).map { $0 == 0 ? 50.0 : 1 }
        let alike = Estimate.statistic(score: 40, influences: influences, clusters: nil as [Int]?, in: nil)
        let unlike = Estimate.statistic(
            score: 40, influences: influences, clusters: nil as [Int]?, in: nil, sizes: sizes)
        #expect(alike.degreesOfFreedom == 11 && (unlike.degreesOfFreedom ?? 11) < 2)
        #expect(isClose(alike.standardError, unlike.standardError ?? 0))
        #expect((unlike.interval?.upper ?? 0) > (alike.interval?.upper ?? 0))
    }

    @Test func aStatisticHasTheJackknifesError() throws {
        // The influences of a mean are its residuals.
        let values = [0.2, 0.9, 0.4, 0.4, 0.1]
        let mean = Estimate.mean(of: values, in: 0...1)
        let influences = values.map { $0 - 0.4 }
        let estimate = Estimate.statistic(score: 0.4, influences: influences, clusters: nil as [Int]?, in: 0...1)
        #expect(isClose(estimate.standardError, try #require(mean.standardError)))
        #expect(isClose(estimate.interval?.lower, try #require(mean.interval?.lower)))
        let drawn = Estimate.statistic(
            score: 0.4, influences: influences, clusters: nil as [Int]?, in: 0...1, bootstrapError: 0.12)
        #expect(drawn.standardError == 0.12 && drawn.interval == estimate.interval)
        let undefined = Estimate.statistic(score: .nan, influences: influences, clusters: nil as [Int]?, in: 0...1)
        #expect(undefined.gap == .undefined && undefined.value == nil)
        let rate = Estimate.statistic(score: 40, influences: values.map { 30 * $0 }, clusters: nil as [Int]?, in: nil)
        #expect(rate.method == .jackknifeLog && (rate.interval?.lower ?? 0) > 0)
    }

    @Test("A score that rounding puts outside its range has an interval within")
    func roundedScores() throws {
        // As sacrebleu has it where every word is right.
        let perfect = Estimate.statistic(
            score: 100.00000000000004, influences: [Double](repeating: 0, count: 12), clusters: nil as [Int]?,
            in: 0...100)
        #expect(perfect.value == 100.00000000000004 && perfect.range == 0...100)
        let interval = try #require(perfect.interval)
        #expect(interval.upper == 100 && interval.lower > 50 && interval.lower < 100)
        // At the end of its range, with influences that are noise of rounding.
        for score in [1, 1.0000000000000002] {
            let noise = (0..<10).map { $0 % 2 == 0 ? 1e-15 : -1e-15 }
            let estimate = Estimate.statistic(score: score, influences: noise, clusters: nil as [Int]?, in: -1...1)
            let interval = try #require(estimate.interval)
            #expect(interval.upper == 1 && interval.lower < 0.9 && interval.lower > -1)
        }
        // What is clearly outside has no known bounds.
        #expect(Estimate.statistic(score: 1.1, influences: [1, 2], clusters: nil as [Int]?, in: -1...1).range == nil)
    }

    @Test("Small terms are not lost beside large ones")
    func compensation() {
        // A plain sum of these gives 0.
        #expect(Estimate.mean(of: [1e100, 1, -1e100, 1]).value == 0.5)
        let constant = Estimate.mean(of: Array(repeating: 0.1, count: 1000))
        #expect(constant.value == 0.1)
        #expect(constant.standardError == 0)
    }

    @Test("A shift moves mean and interval, a factor scales the error")
    func affine() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<50 {
            let values = (0..<Int.random(in: 2...60, using: &generator)).map { _ in
                Double.random(in: -3...5, using: &generator)
            }
            let estimate = Estimate.mean(of: values)
            let moved = Estimate.mean(of: values.map { 4 * $0 + 32 })
            let error = try #require(estimate.standardError)
            #expect(isClose(moved.standardError, 4 * error, tolerance: 1e-9))
            let interval = try #require(estimate.interval)
            #expect(isClose(moved.interval?.lower, 4 * interval.lower + 32, tolerance: 1e-9))
        }
    }

    @Test("Clusters of one give the plain standard error")
    func clustersOfOne() throws {
        let values = [0.1, 0.5, 0.7, 0.2, 0.9]
        let clustered = clusteredStandardError(of: values.enumerated().map { (value: $1, cluster: $0) })
        let plain = try #require(Estimate.mean(of: values).standardError)
        #expect(isClose(clustered, plain))
        #expect(clusteredStandardError(of: values.map { (value: $0, cluster: 0) }) == nil)
        #expect(clusteredStandardError(of: [(value: Double, cluster: Int)]()) == nil)
        #expect(clusteredStandardError(of: [(value: .nan, cluster: 0), (value: 1, cluster: 1)]) == nil)
    }
}
