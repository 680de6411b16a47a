import Testing

@testable import Statistics

@Suite("Estimates against SciPy")
struct ReferenceTests {
    let reference: Reference

    init() throws { self.reference = try Reference.load() }

    @Test func means() {
        for expected in self.reference.means {
            let estimate = Estimate.mean(of: expected.values)
            #expect(estimate.method == .student, "\(expected.name)")
            #expect(isClose(estimate.value, expected.mean), "\(expected.name)")
            #expect(isClose(estimate.standardError, expected.standard_error, tolerance: 1e-7), "\(expected.name)")
            #expect(isClose(estimate.interval?.lower, expected.lower, tolerance: 1e-9), "\(expected.name)")
            #expect(isClose(estimate.interval?.upper, expected.upper, tolerance: 1e-9), "\(expected.name)")
        }
    }

    @Test func boundedMeans() {
        for expected in self.reference.bounded {
            let estimate = Estimate.mean(of: expected.values, in: 0...expected.scale)
            #expect(estimate.method == .bounded, "\(expected.name)")
            #expect(isClose(estimate.interval?.lower, expected.lower, tolerance: 1e-9), "\(expected.name)")
            #expect(isClose(estimate.interval?.upper, expected.upper, tolerance: 1e-9), "\(expected.name)")
        }
    }

    @Test func proportions() {
        for expected in self.reference.proportions {
            let interval = ConfidenceInterval.proportion(successes: expected.successes, count: expected.count)
            #expect(isClose(interval?.lower, expected.lower, tolerance: 1e-9), "\(expected)")
            #expect(isClose(interval?.upper, expected.upper, tolerance: 1e-9), "\(expected)")
        }
    }

    @Test func degreesOfFreedom() {
        for expected in self.reference.degrees {
            let (degrees, bias) = Spread.satterthwaite(sizes: expected.sizes, correlation: expected.correlation)
            #expect(isClose(degrees, expected.degrees, tolerance: 1e-9), "\(expected)")
            #expect(isClose(bias, expected.bias, tolerance: 1e-9), "\(expected)")
        }
    }

    @Test func perplexities() {
        for expected in self.reference.perplexities {
            let estimate = Estimate.perplexity(ofLogLikelihoods: expected.values)
            #expect(estimate.method == .logNormal)
            #expect(isClose(estimate.value, expected.value))
            #expect(isClose(estimate.standardError, expected.standard_error))
            #expect(isClose(estimate.interval?.lower, expected.lower, tolerance: 1e-9))
            #expect(isClose(estimate.interval?.upper, expected.upper, tolerance: 1e-9))
            let error = Estimate.bootstrapErrorOfPerplexity(ofLogLikelihoods: expected.values)
            #expect(isClose(error, expected.bootstrap_standard_error, tolerance: 0.02))
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
                #expect(isClose(estimate.interval?.lower, result.lower, tolerance: 1e-8))
                #expect(isClose(estimate.interval?.upper, result.upper, tolerance: 1e-8))
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
