#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// How the values of a metric's column become one number for a task.
public enum Aggregation: String, Sendable, Hashable, CaseIterable, Codable {
    /// The arithmetic mean of the values.
    case mean
    /// exp(-mean) of log-likelihoods.
    case perplexity
    /// exp(-sum of values / sum of weights).
    case weightedPerplexity = "weighted_perplexity"
    /// -sum of values / (sum of weights * ln 2).
    case bitsPerByte = "bits_per_byte"

    /// One number from a column's values and weights, which are added in order; NaN if there are none.
    public func aggregate(_ values: [Double], weights: [Double]) -> Double {
        guard !values.isEmpty else { return .nan }
        let sum = values.reduce(0, +)
        switch self {
        case .mean: return sum / Double(values.count)
        case .perplexity: return exp(-sum / Double(values.count))
        case .weightedPerplexity: return exp(-sum / weights.reduce(0, +))
        case .bitsPerByte: return -sum / (weights.reduce(0, +) * log(2))
        }
    }
}
