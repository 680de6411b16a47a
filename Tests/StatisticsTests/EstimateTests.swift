import Statistics
import Testing

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
        #expect(right.method == .wilson)
        #expect(right.interval?.upper == 1)
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
        // The score can be told, its spread cannot.
        let wide = Estimate.perplexity(ofLogLikelihoods: [-1000, 0])
        #expect(wide.value != nil)
        #expect(wide.standardError == nil)
        #expect(wide.interval == nil)
        #expect(wide.gap == .overflow)
        #expect(Estimate.mean(of: [1e308, 1e308, 1e308]).gap == .overflow)
    }

    @Test("Wilson's interval below ten zeros or ten ones, the normal one from there")
    func rule() {
        func answers(right: Int, of count: Int) -> [Double] { (0..<count).map { $0 < right ? 1 : 0 } }
        #expect(Estimate.mean(of: answers(right: 9, of: 100)).method == .wilson)
        #expect(Estimate.mean(of: answers(right: 10, of: 100)).method == .normal)
        #expect(Estimate.mean(of: answers(right: 90, of: 100)).method == .normal)
        #expect(Estimate.mean(of: answers(right: 91, of: 100)).method == .wilson)
        #expect(Estimate.mean(of: answers(right: 9, of: 19)).method == .wilson)
        let none = Estimate.mean(of: answers(right: 0, of: 100))
        #expect(none.value == 0)
        #expect(none.standardError == 0)
        #expect(none.interval?.lower == 0)
        #expect((none.interval?.upper ?? 0) > 0.03)
        #expect(none.gap == nil)
    }

    @Test func wilsonOutOfRange() {
        #expect(ConfidenceInterval.wilson(successes: 1, count: 0) == nil)
        #expect(ConfidenceInterval.wilson(successes: -1, count: 3) == nil)
        #expect(ConfidenceInterval.wilson(successes: 4, count: 3) == nil)
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

/// Steele, Lea and Flood's generator: the same numbers in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
