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
            return CalibrationError.equalMass(rows.map { (confidence: self.terms[$0], isRight: self.values[$0]) })
        case .bleu: return BLEUStatistics(values: self.sums(rows))?.score ?? .nan
        case .chrF, .chrFPlusPlus: return CharacterFStatistics(values: self.sums(rows))?.score ?? .nan
        case .translationEditRate: return EditStatistics(values: self.sums(rows))?.score ?? .nan
        case .bestThreshold:
            return SQuAD2Port.best(
                rows.map { row in
                    let terms = self.terms[(3 * row)..<(3 * row + 3)]
                    return .init(
                        score: self.values[row], hasAnswer: terms[3 * row] == 1, isEmpty: terms[3 * row + 1] == 1,
                        noAnswerProbability: terms[3 * row + 2])
                })
        }
    }

    private func pair(_ row: Int) -> (gold: Double, prediction: Double) {
        (self.terms[2 * row], self.terms[2 * row + 1])
    }

    /// The sum of each term.
    private func sums(_ rows: some RandomAccessCollection<Int>) -> [Double] {
        let width = self.aggregation.terms.count
        var sums = [Double](repeating: 0, count: width)
        for row in rows {
            for term in 0..<width { sums[term] += self.terms[row * width + term] }
        }
        return sums
    }
}
