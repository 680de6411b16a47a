/// How the values of a metric's column become one number for a task.
public enum Aggregation: String, Sendable, Hashable, CaseIterable, Codable {
    /// The arithmetic mean of the values.
    case mean
    /// sum of values / sum of weights; where no sample has any weight, 0 in the official SQuAD script and no score in reports.
    case weightedMean = "weighted_mean"
    /// The value in the middle, of an even count the upper one.
    case median
    /// exp(-mean) of log-likelihoods.
    case perplexity
    /// exp(-sum of values / sum of weights).
    case weightedPerplexity = "weighted_perplexity"
    /// -sum of values / (sum of weights * ln 2).
    case bitsPerByte = "bits_per_byte"
    /// F1 of class 1 against class 0.
    case f1
    case matthewsCorrelation = "matthews_corrcoef"
    /// The mean of squared distances.
    case brierScore = "brier_score"
    case calibrationError = "ece"
    case bleu
    case chrF = "chrf"
    case chrFPlusPlus = "chrf++"
    case translationEditRate = "ter"
    /// The best mean that refusing to answer above some probability gives, in per cent.
    case bestThreshold = "best_threshold"

    /// What each sample stores besides its value, in order: the score of all is made from these.
    public var terms: [String] {
        switch self {
        case .f1, .matthewsCorrelation: ["gold", "prediction"]
        case .calibrationError: ["confidence"]
        case .bleu: TranslationTerms.bleu
        case .chrF: TranslationTerms.chrF
        case .chrFPlusPlus: TranslationTerms.chrFPlusPlus
        case .translationEditRate: TranslationTerms.edits
        case .bestThreshold: ["has_answer", "is_empty", "no_answer_probability"]
        case .mean, .weightedMean, .median, .perplexity, .weightedPerplexity, .bitsPerByte, .brierScore: []
        }
    }

    /// How often lm-eval draws samples anew for the standard error; `nil` where it has a formula, or none at all.
    public var bootstrapIterations: Int? {
        switch self {
        case .median, .f1, .matthewsCorrelation, .perplexity: 100_000
        case .bleu, .chrF, .chrFPlusPlus, .translationEditRate: 100
        case .mean, .weightedMean, .weightedPerplexity, .bitsPerByte, .brierScore, .calibrationError, .bestThreshold:
            nil
        }
    }
}
