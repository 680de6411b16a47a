import Statistics
import Testing

@Suite("Estimates against SciPy")
struct ReferenceTests {
    let reference: Reference

    init() throws { self.reference = try Reference.load() }

    @Test func quantile() {
        #expect(ConfidenceInterval.z == self.reference.z)
    }

    @Test func means() {
        for expected in self.reference.means {
            let estimate = Estimate.mean(of: expected.values)
            #expect(estimate.method == .normal, "\(expected.name)")
            #expect(isClose(estimate.value, expected.mean), "\(expected.name)")
            // NumPy's own variance loses digits far from zero.
            let tolerance = expected.name == "far from zero" ? 1e-7 : 1e-12
            #expect(isClose(estimate.standardError, expected.standard_error, tolerance: tolerance), "\(expected.name)")
            #expect(isClose(estimate.interval?.lower, expected.lower), "\(expected.name)")
            #expect(isClose(estimate.interval?.upper, expected.upper), "\(expected.name)")
        }
    }

    @Test func proportions() {
        for expected in self.reference.proportions {
            let interval = ConfidenceInterval.wilson(successes: expected.successes, count: expected.count)
            #expect(isClose(interval?.lower, expected.lower), "\(expected)")
            #expect(isClose(interval?.upper, expected.upper), "\(expected)")
        }
    }

    @Test func perplexities() {
        for expected in self.reference.perplexities {
            let estimate = Estimate.perplexity(ofLogLikelihoods: expected.values)
            #expect(estimate.method == .logNormal)
            #expect(isClose(estimate.value, expected.value))
            #expect(isClose(estimate.standardError, expected.standard_error))
            #expect(isClose(estimate.interval?.lower, expected.lower))
            #expect(isClose(estimate.interval?.upper, expected.upper))
        }
    }

    @Test func ratios() {
        for expected in self.reference.ratios {
            let samples = zip(expected.values, expected.weights).map { WeightedValue(value: $0, weight: $1) }
            let perplexity = Estimate.weightedPerplexity(ofLogLikelihoods: samples)
            let bits = Estimate.bitsPerByte(ofLogLikelihoods: samples)
            #expect(perplexity.method == .logRatio)
            #expect(bits.method == .ratio)
            for (estimate, result) in [(perplexity, expected.perplexity), (bits, expected.bits)] {
                #expect(isClose(estimate.value, result.value))
                #expect(isClose(estimate.standardError, result.standard_error, tolerance: 1e-10))
                #expect(isClose(estimate.interval?.lower, result.lower))
                #expect(isClose(estimate.interval?.upper, result.upper))
            }
        }
    }

    @Test("The delta method agrees with the bootstrap where there are enough samples")
    func bootstrap() {
        for expected in self.reference.ratios where expected.values.count >= 40 {
            let samples = zip(expected.values, expected.weights).map { WeightedValue(value: $0, weight: $1) }
            let bits = Estimate.bitsPerByte(ofLogLikelihoods: samples)
            #expect(isClose(bits.standardError, expected.bootstrap_bits_standard_error, tolerance: 0.05))
        }
    }

    @Test func clusters() {
        for expected in self.reference.clusters {
            let values = zip(expected.values, expected.clusters).map { (value: $0, cluster: $1) }
            #expect(isClose(clusteredStandardError(of: values), expected.standard_error))
        }
    }
}
