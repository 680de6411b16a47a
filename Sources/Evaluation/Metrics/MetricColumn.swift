#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// All samples of one metric: what a task's score is made from.
public struct MetricColumn: Sendable {
    public let aggregation: Aggregation
    public let values: [Double]
    /// One per value.
    public let weights: [Double]
    /// Row after row, `aggregation.terms.count` for each value.
    public let terms: [Double]

    /// - Returns: `nil` if weights or terms are not as many as the values need.
    public init?(_ aggregation: Aggregation, values: [Double], weights: [Double], terms: [Double] = []) {
        guard weights.count == values.count, terms.count == values.count * aggregation.terms.count else { return nil }
        self.aggregation = aggregation
        self.values = values
        self.weights = weights
        self.terms = terms
    }

    /// The task's score; NaN if it can't be computed, as without samples.
    public var score: Double { self.score(of: self.values.indices) }

    /// The score of some samples, which may come several times.
    func score(of rows: some RandomAccessCollection<Int>) -> Double {
        guard !rows.isEmpty else { return .nan }
        var value: Double { rows.reduce(0) { $0 + self.values[$1] } }
        var weight: Double { rows.reduce(0) { $0 + self.weights[$1] } }
        let count = Double(rows.count)
        switch self.aggregation {
        case .mean, .brierScore: return value / count
        case .weightedMean: return weight == 0 ? 0 : value / weight
        case .median:
            let sorted = rows.map { self.values[$0] }.sorted()
            return sorted[sorted.count / 2]
        case .perplexity: return exp(-value / count)
        case .weightedPerplexity: return exp(-value / weight)
        case .bitsPerByte: return -value / (weight * log(2))
        case .f1: return Classification(rows.lazy.map(self.pair)).f1
        case .matthewsCorrelation: return Classification(rows.lazy.map(self.pair)).matthewsCorrelation
        case .calibrationError:
            return CalibrationError.score(rows.map { (confidence: self.terms[$0], isRight: self.values[$0]) })
        case .bleu: return BLEUStatistics(values: self.sums(rows))?.score ?? .nan
        case .chrF, .chrFPlusPlus: return CharacterFStatistics(values: self.sums(rows))?.score ?? .nan
        case .translationEditRate: return EditStatistics(values: self.sums(rows))?.score ?? .nan
        case .bestThreshold: return SQuAD2Port.best(rows.map(self.threshold)).score
        }
    }

    private func threshold(_ row: Int) -> SQuAD2Port.Threshold {
        .init(
            score: self.values[row], hasAnswer: self.terms[3 * row] == 1, isEmpty: self.terms[3 * row + 1] == 1,
            noAnswerProbability: self.terms[3 * row + 2])
    }

    var pairs: [(gold: Double, prediction: Double)] { self.values.indices.map(self.pair) }

    private func pair(_ row: Int) -> (gold: Double, prediction: Double) {
        (self.terms[2 * row], self.terms[2 * row + 1])
    }

    /// The sum of each term.
    private func sums(_ rows: some RandomAccessCollection<Int>) -> [Double] {
        let width = self.aggregation.terms.count
        var sums = [Double](repeating: 0, count: width)
        self.terms.withUnsafeBufferPointer { terms in
            for row in rows {
                for term in 0..<width { sums[term] += terms[row * width + term] }
            }
        }
        return sums
    }
}

/// What a score is made of, for its uncertainty.
public enum ScoreParts: Sendable, Hashable {
    /// sum of values / sum of weights, 1 for a mean; one of each per sample.
    case quotient(values: [Double], weights: [Double])
    /// Any other score: (n - 1) times what it loses without each sample; sizes are what each sample counts by, nil if they are
    /// not known.
    case influences([Double], smallestClass: Int?, sizes: [Double]?)
    /// The value in the middle.
    case median
    /// The rows of each bin, sorted by confidence, whose terms are confidences and whose values say what is right.
    case bins([[Int]])
}

extension MetricColumn {
    /// What the score is made of; `nil` where it has none.
    public var parts: ScoreParts? {
        switch self.aggregation {
        case .mean, .brierScore, .perplexity:
            return .quotient(values: self.values, weights: [Double](repeating: 1, count: self.values.count))
        case .weightedMean, .weightedPerplexity, .bitsPerByte:
            return .quotient(values: self.values, weights: self.weights)
        case .median: return .median
        case .f1:
            // F1 is the mean of both sides' ones, counted as right where the other side has one, too.
            guard self.score.isFinite else { return nil }
            return .quotient(
                values: self.pairs.map { 2 * $0.gold * $0.prediction },
                weights: self.pairs.map { $0.gold + $0.prediction })
        case .matthewsCorrelation:
            guard let (cells, _) = Classification.cells(self.pairs) else { return nil }
            let table = Classification(self.pairs)
            let (all, less) = (table.matthewsCorrelation, table.withoutOne(\.matthewsCorrelation))
            let others = Double(self.values.count - 1)
            return .influences(cells.map { others * (all - less[$0]) }, smallestClass: table.smallestClass, sizes: nil)
        case .calibrationError:
            let samples = self.values.indices.map { (confidence: self.terms[$0], isRight: self.values[$0]) }
            return CalibrationError.equalMass(samples).map { .bins($0) }
        case .bleu: return self.influences(of: BLEUStatistics.self)
        case .chrF, .chrFPlusPlus: return self.influences(of: CharacterFStatistics.self)
        case .translationEditRate: return self.influences(of: EditStatistics.self)
        case .bestThreshold:
            guard !self.values.isEmpty else { return nil }
            // At the best threshold a little more or less of it changes nothing, so it is as good as given.
            let values = SQuAD2Port.best(self.values.indices.map(self.threshold)).values
            return .quotient(values: values, weights: values.map { _ in 1 })
        }
    }

    private func influences<Statistics: TranslationStatistics>(of _: Statistics.Type) -> ScoreParts? {
        guard !self.values.isEmpty else { return nil }
        let sums = self.sums(self.values.indices)
        guard let all = Statistics(values: sums)?.score else { return nil }
        let width = sums.count
        var influences: [Double] = []
        influences.reserveCapacity(self.values.count)
        for row in self.values.indices {
            let less = (0..<width).map { max(0, sums[$0] - self.terms[row * width + $0]) }
            guard let score = Statistics(values: less)?.score else { return nil }
            influences.append(Double(self.values.count - 1) * (all - score))
        }
        // An edit rate is one by words of reference.
        let sizes =
            Statistics.self == EditStatistics.self
            ? self.values.indices.map { self.terms[$0 * width + 1] } : nil
        return .influences(influences, smallestClass: nil, sizes: sizes)
    }
}

extension MetricDefinition {
    /// Where each sample's value (by its weight) and the score lie; `nil` where that is unbounded or not known.
    ///
    /// - Parameter others: All metrics of the task: a function that gives values in per cent is known by its other metrics.
    public func range(among others: [MetricDefinition]) -> ClosedRange<Double>? {
        switch self.aggregation {
        case .f1, .calibrationError: return 0...1
        case .matthewsCorrelation: return -1...1
        case .brierScore: return 0...2
        case .bleu, .chrF, .chrFPlusPlus, .bestThreshold: return 0...100
        case .perplexity, .weightedPerplexity, .bitsPerByte, .translationEditRate: return nil
        case .mean, .median, .weightedMean: break
        }
        switch self.metric {
        case .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch, .pass, .majority, .unparsed, .truncated,
            .hitMaxTokens:
            return 0...1
        case .native(let name):
            let isSQuAD = others.contains { $0.metric == .native("HasAns_exact") }
            if isSQuAD { return 0...100 }
            if name.hasSuffix("acc") || ["em", "f1", "contains", "acc_norm", "exact_match"].contains(name) {
                return 0...1
            }
            if name.hasSuffix("_diff") { return -100...100 }
            return ["bleu_max", "rouge1_max", "rouge2_max", "rougeL_max"].contains(name) ? 0...100 : nil
        default: return nil
        }
    }
}
