#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
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
}
