internal import Dispatch
public import Evaluation
internal import PythonCompat
internal import Synchronization

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
        case .bestThreshold: return AnswerThreshold.best(rows.map(self.threshold)).score
        }
    }

    private func threshold(_ row: Int) -> AnswerThreshold.Prediction {
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
            let values = AnswerThreshold.best(self.values.indices.map(self.threshold)).values
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

extension MetricColumn {
    /// No bootstrap draws more samples than a core does in a few seconds; what it would find has a formula.
    static let mostDraws = 200_000_000

    /// The standard error by the bootstrap that lm-eval makes for this score; `nil` where it makes none, and where the samples
    /// are so many that it would take long.
    public var bootstrapStandardError: Double? {
        guard let iterations = self.aggregation.bootstrapIterations else { return nil }
        // Sums over a corpus are read from all over the memory, one for each term.
        let cost = self.aggregation.terms.count > 2 ? 10 : 1
        guard self.values.count <= Self.mostDraws / (iterations * cost) else { return nil }
        return self.bootstrapStandardError(iterations: iterations)
    }

    /// The standard deviation of the score over samples drawn anew, as lm-eval computes it with the same seeds.
    ///
    /// Draws come in chunks of at most 1000, each with a random stream of its own, whose seed is the chunk's number.
    /// - Returns: `nil` for fewer than two samples or iterations.
    public func bootstrapStandardError(iterations: Int) -> Double? {
        let chunk = min(1000, iterations)
        guard self.values.count > 1, iterations > 1 else { return nil }
        let chunks = iterations / chunk
        let scores = Mutex([[Double]](repeating: [], count: chunks))
        let drawing = Drawing(self)
        DispatchQueue.concurrentPerform(iterations: chunks) { number in
            var random = PythonRandom(seed: UInt64(number))
            var rows = [Int](repeating: 0, count: self.values.count)
            let drawn = (0..<chunk).map { _ in
                random.choose(into: &rows)
                return drawing.score(of: rows)
            }
            scores.withLock { $0[number] = drawn }
        }
        let all = scores.withLock { $0 }.joined()
        let mean = all.reduce(0, +) / Double(chunks * chunk)
        let squares = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(chunks * chunk - 1)).squareRoot()
    }
}

/// A column's score of drawn rows, with what is the same for all draws worked out before.
private struct Drawing {
    private let column: MetricColumn
    /// Each row's pair of classes as a cell of a square of that width; empty where the score needs none.
    private var cells: [Int] = []
    private var width = 0
    /// Each row's place among the sorted values, and these; empty where the score needs none.
    private var ranks: [Int] = []
    private var sorted: [Double] = []

    init(_ column: MetricColumn) {
        self.column = column
        switch column.aggregation {
        case .f1, .matthewsCorrelation:
            if let square = Classification.cells(column.pairs) { (self.cells, self.width) = square }
        case .median:
            let order = column.values.indices.sorted { column.values[$0] < column.values[$1] }
            self.ranks = [Int](repeating: 0, count: order.count)
            for (rank, row) in order.enumerated() { self.ranks[row] = rank }
            self.sorted = order.map { column.values[$0] }
        default: break
        }
    }

    func score(of rows: [Int]) -> Double {
        if !self.cells.isEmpty {
            var counts = [Double](repeating: 0, count: self.width * self.width)
            for row in rows { counts[self.cells[row]] += 1 }
            let table = Classification(counts: counts, width: self.width)
            return self.column.aggregation == .f1 ? table.f1 : table.matthewsCorrelation
        }
        if !self.ranks.isEmpty {
            var counts = [Int32](repeating: 0, count: self.sorted.count)
            for row in rows { counts[self.ranks[row]] += 1 }
            var left = rows.count / 2
            for (rank, count) in counts.enumerated() {
                if left < Int(count) { return self.sorted[rank] }
                left -= Int(count)
            }
        }
        return self.column.score(of: rows)
    }
}

/// Right and predicted classes, counted, as scikit-learn's metrics need them.
struct Classification {
    /// More classes than any choice has letters; a table of their pairs is still small.
    private static let mostClasses = 1000

    private(set) var width = 0
    /// Gold after gold, each prediction's count; empty if a class is no number from 0 to 999.
    private var counts: [Double] = []

    init(_ pairs: some Collection<(gold: Double, prediction: Double)>) {
        guard let (cells, width) = Self.cells(pairs) else { return }
        self.width = width
        self.counts = [Double](repeating: 0, count: width * width)
        for cell in cells { self.counts[cell] += 1 }
    }

    init(counts: [Double], width: Int) {
        self.counts = counts
        self.width = width
    }

    /// Each pair's place in `counts`, and their width; nil if a class is no number from 0 to 999.
    static func cells(_ pairs: some Collection<(gold: Double, prediction: Double)>) -> (cells: [Int], width: Int)? {
        var largest = 0.0
        for pair in pairs {
            for number in [pair.gold, pair.prediction] {
                guard number >= 0, number < Double(Self.mostClasses), number.rounded() == number else { return nil }
            }
            largest = max(largest, pair.gold, pair.prediction)
        }
        let width = Int(largest) + 1
        return (pairs.map { Int($0.gold) * width + Int($0.prediction) }, width)
    }

    /// Without one sample of each cell, as `score` has it; of cells without samples 0.
    func withoutOne(_ score: (Classification) -> Double) -> [Double] {
        self.counts.indices.map { cell in
            guard self.counts[cell] > 0 else { return 0 }
            var table = self
            table.counts[cell] -= 1
            return score(table)
        }
    }

    /// The samples of the rarest class on either side that has any.
    var smallestClass: Int {
        let classes = 0..<self.width
        let golds = classes.map { gold in classes.reduce(0) { $0 + self.count(gold, $1) } }
        let predictions = classes.map { prediction in classes.reduce(0) { $0 + self.count($1, prediction) } }
        return Int((golds + predictions).filter { $0 > 0 }.min() ?? 0)
    }

    private func count(_ gold: Int, _ prediction: Int) -> Double {
        gold < self.width && prediction < self.width ? self.counts[gold * self.width + prediction] : 0
    }

    /// F1 of class 1, 0 where neither side has it; NaN if there are other classes than 0 and 1.
    var f1: Double {
        guard (1...2).contains(self.width) else { return .nan }
        let all = 2 * self.count(1, 1) + self.count(0, 1) + self.count(1, 0)
        return all == 0 ? 0 : 2 * self.count(1, 1) / all
    }

    /// Matthews' correlation for any number of classes (Gorodkin 2004); 0 where one side has a single class.
    var matthewsCorrelation: Double {
        guard self.width > 0 else { return .nan }
        let classes = 0..<self.width
        let golds = classes.map { gold in classes.reduce(0) { $0 + self.count(gold, $1) } }
        let predictions = classes.map { prediction in classes.reduce(0) { $0 + self.count($1, prediction) } }
        let right = classes.reduce(0) { $0 + self.count($1, $1) }
        let total = golds.reduce(0, +)
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let square = total * total
        let spread = (square - product(predictions, predictions)) * (square - product(golds, golds))
        return spread == 0 ? 0 : (right * total - product(golds, predictions)) / spread.squareRoot()
    }
}

/// How far confidence is from being right.
enum CalibrationError {
    /// As many bins as Guo and others (2017) use.
    static let bins = 15

    /// The samples in bins of equally many, sorted by confidence; equal ones keep their order.
    ///
    /// Of bins that can't be of one size the first have a sample more. nil where a number is NaN, and without samples.
    static func equalMass(_ samples: [(confidence: Double, isRight: Double)]) -> [[Int]]? {
        guard !samples.isEmpty, samples.allSatisfy({ !$0.confidence.isNaN && !$0.isRight.isNaN }) else { return nil }
        let order = samples.indices.sorted {
            (samples[$0].confidence, $0) < (samples[$1].confidence, $1)
        }
        let count = min(Self.bins, samples.count)
        var bins: [[Int]] = []
        var start = 0
        for bin in 0..<count {
            let size = samples.count / count + (bin < samples.count % count ? 1 : 0)
            bins.append(Array(order[start..<start + size]))
            start += size
        }
        return bins
    }

    /// The mean over all samples of their bin's distance between confidence and share of right answers; NaN for none.
    static func score(_ samples: [(confidence: Double, isRight: Double)]) -> Double {
        guard let bins = Self.equalMass(samples) else { return .nan }
        let error = bins.reduce(0) { sum, bin in
            sum + abs(bin.reduce(0) { $0 + samples[$1].confidence - samples[$1].isRight })
        }
        return error / Double(samples.count)
    }
}

/// Sums of floating point numbers in NumPy's order, so that they are equal to the last bit.
public enum NumPySum {
    /// `numpy.sum(values)`.
    public static func sum(_ values: [Double]) -> Double { 0 + Self.pairwise(values[...]) }

    /// `numpy.mean(values)`.
    public static func mean(_ values: [Double]) -> Double { Self.sum(values) / Double(values.count) }

    private static func pairwise(_ values: ArraySlice<Double>) -> Double {
        if values.count < 8 { return values.reduce(0, +) }
        if values.count > 128 {
            let half = values.count / 2
            let middle = values.startIndex + half - half % 8
            return Self.pairwise(values[..<middle]) + Self.pairwise(values[middle...])
        }
        let end = values.endIndex - values.count % 8
        var sums = Array(values.prefix(8))
        for start in stride(from: values.startIndex + 8, to: end, by: 8) {
            for lane in 0..<8 { sums[lane] += values[start + lane] }
        }
        let sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
        return values[end...].reduce(sum, +)
    }
}

/// The probability above which a question counts as unanswerable, chosen afterwards as SQuAD 2's official script does.
enum AnswerThreshold {
    /// A prediction for which refusing to answer is an alternative.
    struct Prediction {
        /// From 0 to 1.
        var score: Double
        var hasAnswer: Bool
        /// Whether the prediction is empty.
        var isEmpty: Bool
        var noAnswerProbability: Double
    }

    /// The best score in per cent that a threshold of the probability gives, above which nothing is answered, and what each
    /// prediction then has, in per cent, in their order.
    static func best(_ predictions: [Prediction]) -> (score: Double, values: [Double]) {
        var current = Double(predictions.count { !$0.hasAnswer })
        var (best, answered) = (current, 0)
        let ordered = predictions.enumerated().sorted {
            ($0.element.noAnswerProbability, $0.offset) < ($1.element.noAnswerProbability, $1.offset)
        }
        for (number, (_, prediction)) in ordered.enumerated() {
            current += prediction.hasAnswer ? prediction.score : prediction.isEmpty ? 0 : -1
            if current > best { (best, answered) = (current, number + 1) }
        }
        var values = predictions.map { $0.hasAnswer ? 0.0 : 100 }
        for (index, prediction) in ordered.prefix(answered) {
            values[index] = prediction.hasAnswer ? 100 * prediction.score : prediction.isEmpty ? 100 : 0
        }
        return (100 * best / Double(predictions.count), values)
    }
}
