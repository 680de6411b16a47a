extension Estimate {
    /// A score whose standard error was found by drawing samples anew.
    ///
    /// - Parameters:
    ///   - score: NaN if it is not defined for the samples.
    ///   - standardError: `nil` if there are too few samples.
    public static func bootstrapped(score: Double, standardError: Double?, count: Int) -> Estimate {
        let method = EstimateMethod.bootstrap
        guard count > 0 else { return .absent(method, count: count, .noSamples) }
        guard score.isFinite else { return .absent(method, count: count, .undefined) }
        var estimate = Estimate(
            count: count, value: score, standardError: nil, interval: nil, method: method, gap: .oneSample)
        guard let standardError else { return estimate }
        guard standardError.isFinite else {
            estimate.gap = .undefined
            return estimate
        }
        estimate.standardError = standardError
        estimate.interval = .normal(around: score, standardError: standardError)
        estimate.gap = nil
        return estimate
    }

    /// An estimate on the log scale, with the standard error of a bootstrap in place of the delta method's.
    public func withBootstrap(standardError: Double?) -> Estimate {
        guard self.standardError != nil, let standardError, standardError.isFinite else { return self }
        var estimate = self
        estimate.standardError = standardError
        estimate.method = .bootstrapLog
        return estimate
    }
}
