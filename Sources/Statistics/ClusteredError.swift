/// The standard error of the mean of `values` that come in clusters, such as questions on the same passage.
///
/// sqrt(C / (C - 1) * sum over the clusters of (sum of the deviations from the mean)^2) / n, with C clusters; to be used
/// with Student's t with C - 1 degrees of freedom.
///
/// - Parameter values: Each value with the cluster it is of.
/// - Returns: nil for fewer than two clusters, and when a value is NaN or infinite.
public func clusteredStandardError<Cluster: Hashable>(of values: [(value: Double, cluster: Cluster)]) -> Double? {
    guard !values.isEmpty, values.allSatisfy(\.value.isFinite) else { return nil }
    let n = Double(values.count)
    let mean = CompensatedSum.of(values.lazy.map(\.value)) / n
    // In order of appearance, so that the rounding is the same each time.
    var numbers: [Cluster: Int] = [:]
    var sums: [CompensatedSum] = []
    for (value, cluster) in values {
        let number = numbers[cluster, default: sums.count]
        if number == sums.count {
            numbers[cluster] = number
            sums.append(CompensatedSum())
        }
        sums[number].add(value - mean)
    }
    let clusters = Double(sums.count)
    guard clusters > 1 else { return nil }
    let squares = CompensatedSum.of(sums.lazy.map { $0.value * $0.value })
    let error = (clusters / (clusters - 1) * squares).squareRoot() / n
    return error.isFinite ? error : nil
}
