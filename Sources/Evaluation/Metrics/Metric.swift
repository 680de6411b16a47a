/// The metrics a task can name.
public enum Metric: Sendable, Hashable, Codable {
    /// Whether the most likely choice is the right one; for log-likelihood tasks whether the answer is greedy.
    case acc
    /// As `acc`, each choice's log-likelihood divided by its length in code points.
    case accNorm
    /// As `acc`, each choice's log-likelihood divided by its length in UTF-8 bytes.
    case accBytes
    /// As `acc`, of each choice's log-likelihood what it has without the context is taken away.
    case accMutualInfo
    case exactMatch
    /// F1 of the predictions of class 1.
    case f1
    /// Matthews' correlation of predictions and right choices.
    case mcc
    /// Squared distance of the choices' probabilities from the right answer.
    case brierScore
    /// Expected calibration error of the most likely choice's probability; not in lm-eval.
    case calibrationError
    /// The log-likelihood of the answer.
    case perplexity
    case wordPerplexity
    case bytePerplexity
    case bitsPerByte
    /// The probability that one of so many texts is right, estimated from all (Chen and others 2021); not in lm-eval.
    case pass(at: Int)
    /// Whether the most frequent of the first so many texts is right; not in lm-eval.
    case majority(at: Int)
    /// What a built-in function of a task calls so.
    case native(String)
    case bleu
    case chrF
    case chrFPlusPlus
    case translationEditRate
    /// Whether a filter found no answer, as a part of the texts; not in lm-eval, like the two below.
    case unparsed
    /// Whether a prompt was cut on the left.
    case truncated
    /// Whether the text ended at the limit of new tokens, as a part of the texts.
    case hitMaxTokens

    /// How its values may become one number; lm-eval's default comes first.
    var aggregations: [Aggregation] {
        switch self {
        case .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch: [.mean, .median]
        case .pass, .majority, .native, .unparsed, .truncated, .hitMaxTokens: [.mean]
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
            .translationEditRate, .unparsed, .truncated, .hitMaxTokens:
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
                .truncated,
            ]
        case .loglikelihood: [.perplexity, .acc, .truncated]
        case .loglikelihoodRolling: [.wordPerplexity, .bytePerplexity, .bitsPerByte]
        case .generateUntil:
            [
                .exactMatch, .pass(at: 1), .majority(at: 1), .bleu, .chrF, .chrFPlusPlus, .translationEditRate,
                .unparsed, .truncated, .hitMaxTokens,
            ]
        }
    }

    func has(_ metric: Metric) -> Bool {
        switch metric {
        case .pass, .majority: self == .generateUntil
        case .native: false
        default: self.metrics.contains(metric)
        }
    }

    /// What a task gets that names no metrics.
    var defaultMetrics: [Metric] {
        switch self {
        case .multipleChoice: [.acc, .accNorm]
        case .generateUntil: [.exactMatch]
        case .loglikelihood: [.perplexity, .acc]
        case .loglikelihoodRolling: self.metrics
        }
    }
}
