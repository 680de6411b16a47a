/// The metrics a task can name.
public enum Metric: String, Sendable, Hashable, CaseIterable, Codable {
    /// Whether the most likely choice is the right one; for log-likelihood tasks whether the answer is greedy.
    case acc
    /// As `acc`, each choice's log-likelihood divided by its length in code points.
    case accNorm = "acc_norm"
    /// As `acc`, each choice's log-likelihood divided by its length in UTF-8 bytes.
    case accBytes = "acc_bytes"
    /// As `acc`, of each choice's log-likelihood what it has without the context is taken away.
    case accMutualInfo = "acc_mutual_info"
    case exactMatch = "exact_match"
    /// F1 of the predictions of class 1.
    case f1
    /// Matthews' correlation of predictions and right choices.
    case mcc
    /// Squared distance of the choices' probabilities from the right answer.
    case brierScore = "brier_score"
    /// Expected calibration error of the most likely choice's probability; not in lm-eval.
    case calibrationError = "ece"
    /// The log-likelihood of the answer.
    case perplexity
    case wordPerplexity = "word_perplexity"
    case bytePerplexity = "byte_perplexity"
    case bitsPerByte = "bits_per_byte"
    case bleu
    case chrF = "chrf"
    case chrFPlusPlus = "chrf++"
    case translationEditRate = "ter"

    /// How its values may become one number; lm-eval's default comes first.
    var aggregations: [Aggregation] {
        switch self {
        case .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch: [.mean, .median]
        case .f1: [.f1]
        case .mcc: [.matthewsCorrelation]
        case .brierScore: [.brierScore]
        case .calibrationError: [.calibrationError]
        case .perplexity: [.perplexity]
        case .wordPerplexity, .bytePerplexity: [.weightedPerplexity]
        case .bitsPerByte: [.bitsPerByte]
        case .bleu: [.bleu]
        case .chrF: [.chrF]
        case .chrFPlusPlus: [.chrFPlusPlus]
        case .translationEditRate: [.translationEditRate]
        }
    }

    /// How its values become one number unless the task file says otherwise.
    public var aggregation: Aggregation { self.aggregations[0] }

    /// Unless the task file says otherwise.
    public var higherIsBetter: Bool {
        switch self {
        case .brierScore, .calibrationError, .perplexity, .wordPerplexity, .bytePerplexity, .bitsPerByte,
            .translationEditRate:
            false
        default: true
        }
    }
}

extension OutputType {
    /// The metrics that can be computed from the answers.
    public var metrics: [Metric] {
        switch self {
        case .multipleChoice:
            [
                .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch, .f1, .mcc, .brierScore, .calibrationError,
            ]
        case .loglikelihood: [.perplexity, .acc]
        case .loglikelihoodRolling: [.wordPerplexity, .bytePerplexity, .bitsPerByte]
        case .generateUntil: [.exactMatch, .bleu, .chrF, .chrFPlusPlus, .translationEditRate]
        }
    }

    /// What a task gets that names no metrics.
    var defaultMetrics: [Metric] {
        switch self {
        case .multipleChoice: [.acc, .accNorm]
        case .generateUntil: [.exactMatch]
        default: self.metrics
        }
    }
}
