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
    public var aggregations: [Aggregation] {
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

    public func has(_ metric: Metric) -> Bool {
        switch metric {
        case .pass, .majority: self == .generateUntil
        case .native: false
        default: self.metrics.contains(metric)
        }
    }

    /// What a task gets that names no metrics.
    public var defaultMetrics: [Metric] {
        switch self {
        case .multipleChoice: [.acc, .accNorm]
        case .generateUntil: [.exactMatch]
        case .loglikelihood: [.perplexity, .acc]
        case .loglikelihoodRolling: self.metrics
        }
    }
}

extension Metric: RawRepresentable, CaseIterable {
    /// Every metric, those of several texts for one text.
    public static var allCases: [Metric] { OutputType.allCases.flatMap(\.metrics).uniqued() }

    /// What task files and columns call it.
    public var rawValue: String {
        switch self {
        case .acc: "acc"
        case .accNorm: "acc_norm"
        case .accBytes: "acc_bytes"
        case .accMutualInfo: "acc_mutual_info"
        case .exactMatch: "exact_match"
        case .f1: "f1"
        case .mcc: "mcc"
        case .brierScore: "brier_score"
        case .calibrationError: "ece"
        case .perplexity: "perplexity"
        case .wordPerplexity: "word_perplexity"
        case .bytePerplexity: "byte_perplexity"
        case .bitsPerByte: "bits_per_byte"
        case .bleu: "bleu"
        case .chrF: "chrf"
        case .chrFPlusPlus: "chrf++"
        case .translationEditRate: "ter"
        case .unparsed: "unparsed"
        case .truncated: "truncated"
        case .hitMaxTokens: "hit_max_tokens"
        case .pass(let count): "pass@\(count)"
        case .majority(let count): "majority@\(count)"
        case .native(let name): "native:\(name)"
        }
    }

    public init?(rawValue: String) {
        if let metric = Self.allCases.first(where: { $0.rawValue == rawValue }) {
            self = metric
            return
        }
        if rawValue.hasPrefix("native:") {
            self = .native(String(rawValue.dropFirst(7)))
            return
        }
        let parts = rawValue.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[1]), (1...10_000).contains(count), String(count) == parts[1]
        else {
            return nil
        }
        switch parts[0] {
        case "pass": self = .pass(at: count)
        case "majority": self = .majority(at: count)
        default: return nil
        }
    }

    /// What columns and reports call it.
    public var name: String {
        if case .native(let name) = self { name } else { self.rawValue }
    }

    /// Whether it tells of the answers' state, whatever they are compared with.
    public var isHealth: Bool {
        switch self {
        case .unparsed, .truncated, .hitMaxTokens: true
        default: false
        }
    }

    /// Whether it can be computed of programs that passed or failed.
    public var judgesPrograms: Bool {
        switch self {
        case .pass: true
        default: self.isHealth
        }
    }

    /// Whether texts are compared, with what is ignored taken away.
    public var comparesTexts: Bool {
        switch self {
        case .exactMatch, .pass, .majority: true
        default: false
        }
    }

    /// How many texts for each row it needs at least; `nil` if any number will do.
    public var neededRepeats: Int? {
        switch self {
        case .pass(let count), .majority(let count): count
        default: nil
        }
    }
}

extension [Metric] {
    /// Each once, in order.
    fileprivate func uniqued() -> [Metric] {
        var known: Set<Metric> = []
        return self.filter { known.insert($0).inserted }
    }
}

/// One metric's column: what its values mean and how they are put together.
public struct MetricDefinition: Sendable, Hashable, Codable {
    /// The column's name: the metric, with ",filter" behind it where the task names filters.
    public var name: String
    public var metric: Metric
    /// The filter's name; "none" where the task names no filter.
    public var filter: String
    public var aggregation: Aggregation
    public var higherIsBetter: Bool

    /// As jobs are stored; these names stay.
    private enum CodingKeys: String, CodingKey {
        case name, metric, filter, aggregation, higherIsBetter
    }

    public init(name: String, metric: Metric, filter: String, aggregation: Aggregation, higherIsBetter: Bool) {
        self.name = name
        self.metric = metric
        self.filter = filter
        self.aggregation = aggregation
        self.higherIsBetter = higherIsBetter
    }
}

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

    /// How many times lm-eval resamples for the standard error; `nil` where it has a formula, or none at all.
    public var bootstrapIterations: Int? {
        switch self {
        case .median, .f1, .matthewsCorrelation, .perplexity: 100_000
        case .bleu, .chrF, .chrFPlusPlus, .translationEditRate: 100
        case .mean, .weightedMean, .weightedPerplexity, .bitsPerByte, .brierScore, .calibrationError, .bestThreshold:
            nil
        }
    }
}

/// What the statistics' values are called in result files.
enum TranslationTerms {
    static let bleu =
        ["hypothesis_length", "reference_length"] + (1...4).map { "matches_\($0)" } + (1...4).map { "total_\($0)" }
    static let chrF = Self.characterF(words: 0)
    static let chrFPlusPlus = Self.characterF(words: 2)
    static let edits = ["edits", "reference_length"]

    private static func characterF(words: Int) -> [String] {
        let orders = (1...6).map { "character_\($0)" } + (0..<words).map { "word_\($0 + 1)" }
        return orders.flatMap { order in ["hypothesis", "reference", "matches"].map { "\(order)_\($0)" } }
    }
}

/// What a task asks of a model.
public enum OutputType: String, Sendable, Hashable, CaseIterable, Codable {
    case multipleChoice = "multiple_choice"
    case loglikelihood
    case loglikelihoodRolling = "loglikelihood_rolling"
    case generateUntil = "generate_until"
}
