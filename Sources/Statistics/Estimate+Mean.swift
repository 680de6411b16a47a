extension Estimate {
    /// The mean of `values` with its standard error and interval.
    ///
    /// Scores that are all 0 or 1, with fewer than `wilsonLimit` of either kind, get Wilson's interval: the normal one is
    /// too narrow there, and has no width at all at 0 and 1. Every other mean gets the normal interval.
    public static func mean(of values: [Double]) -> Estimate {
        let method = EstimateMethod.normal
        if let gap = Self.gap(in: values) { return .absent(method, count: values.count, gap) }
        let moments = Moments(of: values)
        if let ones = Self.ones(in: values), min(ones, values.count - ones) < Self.wilsonLimit {
            return .init(
                count: values.count, value: moments.mean, standardError: moments.standardError,
                interval: .wilson(successes: ones, count: values.count), method: .wilson,
                gap: moments.standardError == nil ? .oneSample : nil)
        }
        return .make(method, moments, value: { $0 }, standardError: { $1 }, interval: { $0 })
    }

    /// As many zeros and as many ones are needed for the normal interval of a proportion.
    public static let wilsonLimit = 10

    /// How many of `values` are 1 if all are 0 or 1, else nil.
    private static func ones(in values: [Double]) -> Int? {
        var ones = 0
        for value in values {
            guard value == 0 || value == 1 else { return nil }
            if value == 1 { ones += 1 }
        }
        return ones
    }
}
