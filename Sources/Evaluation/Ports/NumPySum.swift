/// Sums of floating point numbers in NumPy's order, so that they are equal to the last bit.
enum NumPySum {
    /// `numpy.sum(values)`.
    static func sum(_ values: [Double]) -> Double { 0 + Self.pairwise(values[...]) }

    /// `numpy.mean(values)`.
    static func mean(_ values: [Double]) -> Double { Self.sum(values) / Double(values.count) }

    private static func pairwise(_ values: ArraySlice<Double>) -> Double {
        if values.count < 8 { return values.reduce(0, +) }
        if values.count > 128 {
            let half = values.count / 2
            let middle = values.startIndex + half - half % 8
            return Self.pairwise(values[..<middle]) + Self.pairwise(values[middle...])
        }
        let end = values.endIndex - values.count % 8
        var sums = Array(values.prefix(8))
        for start in stride(from: values.startIndex + 8, to: end, by: 8) {
            for lane in 0..<8 { sums[lane] += values[start + lane] }
        }
        let sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
        return values[end...].reduce(sum, +)
    }
}
