import Testing

@testable import Statistics

@Suite struct ClusterEstimateTests {
    /// scipy.stats.t.ppf(0.975, degrees).
    @Test(arguments: [
        (1, 12.706204736174694), (2.5, 3.5746548420036817), (4, 2.7764451051977934), (99, 1.9842169515864174),
    ])
    func quantilesAreThoseOfSciPy(degrees: Double, quantile: Double) {
        #expect(abs(ConfidenceInterval.studentQuantile(degreesOfFreedom: degrees) - quantile) < 1e-12 * quantile)
        #expect(ConfidenceInterval.studentQuantile(degreesOfFreedom: 0).isNaN)
    }

    @Test func meansOfClustersHaveTheirError() throws {
        let values = [1.0, 1, 0, 0, 1, 0]
        let clusters = ["a", "a", "b", "b", "c", "c"]
        let estimate = Estimate.clustered(values.map { .init(value: $0, weight: 1) }, clusters: clusters)
        #expect(estimate.value == 0.5 && estimate.clusterCount == 3 && estimate.method == .clusteredBounded)
        // Residuals add up to 1, -1 and 0: sqrt(3 / 2 * 2) / 6.
        let error = 3.0.squareRoot() / 6
        #expect(abs((estimate.standardError ?? 0) - error) < 1e-15)
        let interval = try #require(estimate.interval)
        #expect(interval.lower > 0 && interval.lower < 0.1 && abs(interval.lower + interval.upper - 1) < 1e-12)
    }

    @Test func samplesThatAreTheirOwnClustersHaveTheIntervalOfSamples() {
        let values = [0.2, 0.9, 0.4, 0.4, 0.1, 1, 1]
        let samples = values.map { WeightedValue(value: $0, weight: 1) }
        let clustered = Estimate.clustered(samples, clusters: Array(values.indices), in: 0...1)
        #expect(clustered.interval == Estimate.mean(of: values, in: 0...1).interval)
    }

    /// Each has one right and one wrong answer, so that the clusters' means do not differ.
    @Test func clustersThatCancelOutGiveNoCertainty() throws {
        let samples = (0..<20).map { WeightedValue(value: Double($0 % 2), weight: 1) }
        let estimate = Estimate.clustered(samples, clusters: (0..<20).map { $0 / 2 }, in: 0...1)
        #expect(estimate.standardError == 0)
        let interval = try #require(estimate.interval)
        #expect(interval.upper - interval.lower > 0.2)
    }

    @Test func unequalClustersHaveFewerDegreesOfFreedom() {
        let even = (0..<30).map { $0 / 5 }
        let uneven = (0..<30).map { $0 < 25 ? 0 : $0 }
        let samples = (0..<30).map { WeightedValue(value: Double($0 * 7 % 3) / 2, weight: 1) }
        let freedom = [even, uneven].map { Estimate.clustered(samples, clusters: $0, in: 0...1).degreesOfFreedom ?? 0 }
        #expect(freedom[0] == 5 && freedom[1] < 3 && freedom[1] >= 1)
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
            (QuotientScale.perplexity, Estimate.weightedPerplexity(ofLogLikelihoods: weighted)),
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
            // Clusters of 4, 3 and 3 say as much as 2.9 of one size.
            let two = ConfidenceInterval.proportion(successes: value == 1 ? 2 : 0, count: 2)
            #expect(
                isClose(estimate.interval?.lower, two?.lower ?? -1)
                    && isClose(estimate.interval?.upper, two?.upper ?? -1))
        }
    }

    @Test func groupsWithoutSpreadAreNoSurerThanTheirTasks() {
        let parts = [4, 9].map { Estimate.mean(of: [Double](repeating: 0, count: $0)) }
        for group in [Estimate.pooled(parts), .averaged(parts)] {
            #expect(group.standardError == 0 && group.interval?.lower == 0)
            // At most what the one task alone, counted by its part, may be.
            let alone = ConfidenceInterval.proportion(successes: 0, count: 4)?.upper ?? 0
            let share = group.method == .pooled ? 4.0 / 13 : 0.5
            #expect((group.interval?.upper ?? 0) >= share * alone && (group.interval?.upper ?? 1) <= alone)
        }
    }

    @Test func oneClusterHasNoError() {
        let estimate = Estimate.clustered(
            [.init(value: 1, weight: 1), .init(value: 0, weight: 1)], clusters: ["a", "a"])
        #expect(estimate.value == 0.5 && estimate.standardError == nil && estimate.gap == .oneCluster)
        #expect(Estimate.clustered([], clusters: [String]()).gap == .noSamples)
        #expect(Estimate.clustered([.init(value: 0, weight: 0)], clusters: ["a"]).gap == .noWeight)
    }

    /// lm_eval.api.metrics.pooled_sample_stderr and aggregate_subtask_metrics.
    @Test func groupsArePooledAsInLMEval() {
        let parts = [(0.5, 0.05, 100), (0.4, 0.031, 250), (0.9, 0.2, 7)].map { value, error, count in
            Estimate(count: count, value: value, standardError: error, interval: nil, method: .student)
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
