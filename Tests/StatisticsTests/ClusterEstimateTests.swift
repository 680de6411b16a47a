import Testing

@testable import Statistics

@Suite struct ClusterEstimateTests {
    /// scipy.stats.t.ppf(0.975, degrees).
    @Test(arguments: [(1, 12.706204736174694), (4, 2.7764451051977934), (99, 1.9842169515864174)])
    func quantilesAreThoseOfSciPy(degrees: Int, quantile: Double) {
        #expect(abs(StudentT.quantile(0.975, degreesOfFreedom: degrees) - quantile) < 1e-12 * quantile)
        #expect(StudentT.quantile(0.5, degreesOfFreedom: degrees) == 0)
        #expect(StudentT.quantile(1, degreesOfFreedom: degrees).isNaN)
    }

    @Test func meansOfClustersHaveTheirError() throws {
        let values = [1.0, 1, 0, 0, 1, 0]
        let clusters = ["a", "a", "b", "b", "c", "c"]
        let estimate = Estimate.clustered(values.map { .init(value: $0, weight: 1) }, clusters: clusters)
        #expect(estimate.value == 0.5 && estimate.clusterCount == 3 && estimate.method == .clustered)
        // Residuals add up to 1, -1 and 0: sqrt(3 / 2 * 2) / 6.
        let error = 3.0.squareRoot() / 6
        #expect(abs((estimate.standardError ?? 0) - error) < 1e-15)
        let interval = try #require(estimate.interval)
        #expect(abs(interval.upper - 0.5 - 4.302652729749464 * error) < 1e-12)
    }

    /// With a cluster for each sample it is the standard error of independent samples.
    @Test func clustersOfOneAreSamples() throws {
        let values = [0.2, 0.9, 0.4, 0.4, 0.1]
        let estimate = Estimate.clustered(
            values.map { .init(value: $0, weight: 1) }, clusters: values.indices.map(String.init))
        let plain = try #require(Estimate.mean(of: values).standardError)
        #expect(abs((estimate.standardError ?? 0) - plain) < 1e-15)
        let weighted = zip(values, [1.0, 2, 3, 4, 5]).map { WeightedValue(value: -$0, weight: $1) }
        let clusters = values.indices.map(String.init)
        for (scale, plain) in [
            (Estimate.ClusteredScale.perplexity, Estimate.weightedPerplexity(ofLogLikelihoods: weighted)),
            (.times(-Estimate.bitsPerNat), .bitsPerByte(ofLogLikelihoods: weighted)),
        ] {
            let clustered = Estimate.clustered(weighted, clusters: clusters, scale: scale)
            #expect(abs((clustered.value ?? 0) - (plain.value ?? 1)) < 1e-12)
            #expect(abs((clustered.standardError ?? 0) - (plain.standardError ?? 1)) < 1e-12)
        }
    }

    /// Ten samples in three clusters that are all alike say as much as three samples.
    @Test func noSpreadIsNoCertainty() {
        let clusters = (0..<10).map { String($0 % 3) }
        for value in [0.0, 1] {
            let estimate = Estimate.clustered(clusters.map { _ in .init(value: value, weight: 1) }, clusters: clusters)
            #expect(estimate.value == value && estimate.standardError == 0)
            #expect(estimate.interval == .wilson(successes: value == 1 ? 3 : 0, count: 3))
        }
    }

    @Test func groupsWithoutSpreadAreNoSurerThanTheirTasks() {
        let parts = [4, 9].map { Estimate.mean(of: [Double](repeating: 0, count: $0)) }
        for group in [Estimate.pooled(parts), .averaged(parts)] {
            #expect(group.standardError == 0 && group.interval == .wilson(successes: 0, count: 4))
        }
    }

    @Test func oneClusterHasNoError() {
        let estimate = Estimate.clustered(
            [.init(value: 1, weight: 1), .init(value: 0, weight: 1)], clusters: ["a", "a"])
        #expect(estimate.value == 0.5 && estimate.standardError == nil && estimate.gap == .oneCluster)
        #expect(Estimate.clustered([], clusters: []).gap == .noSamples)
        #expect(Estimate.clustered([.init(value: 0, weight: 0)], clusters: ["a"]).gap == .noWeight)
    }

    /// lm_eval.api.metrics.pooled_sample_stderr and aggregate_subtask_metrics.
    @Test func groupsArePooledAsInLMEval() {
        let parts = [(0.5, 0.05, 100), (0.4, 0.031, 250), (0.9, 0.2, 7)].map { value, error, count in
            Estimate(count: count, value: value, standardError: error, interval: nil, method: .normal)
        }
        let pooled = Estimate.pooled(parts)
        #expect(abs((pooled.value ?? 0) - 0.4378151260504202) < 1e-15)
        #expect(abs((pooled.standardError ?? 0) - 0.02612458964489823) < 1e-15)
        let averaged = Estimate.averaged(parts)
        #expect(abs((averaged.value ?? 0) - 0.6) < 1e-15 && averaged.count == 357)
        let error: Double = (0.0025 + 0.000961 + 0.04).squareRoot() / 3
        #expect(abs((averaged.standardError ?? 0) - error) < 1e-15)
        var gap = parts
        gap[1].standardError = nil
        #expect(Estimate.pooled(gap).gap == .partWithoutError && Estimate.pooled(gap).value == pooled.value)
        gap[1].value = nil
        #expect(Estimate.averaged(gap).value == nil && Estimate.averaged([]).gap == .noSamples)
    }
}
