/// The metrics a task can name.
public enum Metric: String, Sendable, Hashable, CaseIterable, Codable {
    /// Whether the most likely choice is the right one; for log-likelihood tasks whether the answer is greedy.
    case acc
    /// As `acc`, each choice's log-likelihood divided by its length in code points.
    case accNorm = "acc_norm"
    case exactMatch = "exact_match"
    /// The log-likelihood of the answer.
    case perplexity
    case wordPerplexity = "word_perplexity"
    case bytePerplexity = "byte_perplexity"
    case bitsPerByte = "bits_per_byte"

    /// How its values become one number; lm-eval's default.
    public var aggregation: Aggregation {
        switch self {
        case .acc, .accNorm, .exactMatch: .mean
        case .perplexity: .perplexity
        case .wordPerplexity, .bytePerplexity: .weightedPerplexity
        case .bitsPerByte: .bitsPerByte
        }
    }

    /// Unless the task file says otherwise.
    public var higherIsBetter: Bool { self.aggregation == .mean }
}
