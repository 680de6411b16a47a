/// The mean of some finite values and the spread around it.
struct Moments {
    let count: Int
    let mean: Double
    /// s / sqrt(n), with n - 1 in s; nil for fewer than two values.
    let standardError: Double?

    /// The moments of `values`, which are not empty.
    init(of values: [Double]) {
        let count = Double(values.count)
        let mean = CompensatedSum.of(values) / count
        self.count = values.count
        self.mean = mean
        guard values.count > 1 else {
            self.standardError = nil
            return
        }
        // The second term is zero but for the rounding of the mean, and takes that rounding out of the first.
        let squares = CompensatedSum.of(values.lazy.map { ($0 - mean) * ($0 - mean) })
        let rest = CompensatedSum.of(values.lazy.map { $0 - mean })
        let variance = max(0, squares - rest * rest / count) / (count - 1)
        self.standardError = (variance / count).squareRoot()
    }
}
