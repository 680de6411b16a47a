internal import Dispatch
internal import PythonCompat
internal import Synchronization

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
