internal import PythonCompat

/// TER as sacrebleu 2.6.0 computes it by default: Tercom's search, lower case, words at white space.
public enum TranslationEditRate {
    /// Of a hypothesis or a reference: for so many the search takes up to some seconds, sacrebleu's far more.
    public static let maximumWords = 10_000

    /// A sample's counts, `nil` beyond `maximumWords`; no reference counts as an empty one.
    public static func statistics(hypothesis: String, references: [String]) -> EditStatistics? {
        var vocabulary = Vocabulary()
        let hypothesis = vocabulary.numbers(of: Self.words(hypothesis))
        let references = (references.isEmpty ? [""] : references).map { vocabulary.numbers(of: Self.words($0)) }
        guard ([hypothesis] + references).allSatisfy({ $0.count <= Self.maximumWords }) else { return nil }
        let edits = references.map { ShiftSearch.edits(from: hypothesis, to: $0) }
        let length = references.reduce(0) { $0 + $1.count }
        return EditStatistics(edits: edits.min() ?? 0, referenceLength: Double(length) / Double(references.count))
    }

    private static func words(_ text: String) -> [CodePoints] { PythonText.words(PythonText.lowercased(text)) }
}

/// Counts for TER, of one sample or of many together.
public struct EditStatistics: TranslationStatistics {
    /// Insertions, deletions, substitutions and shifts to the reference that needs fewest.
    public private(set) var edits = 0.0
    /// Words of a reference, the mean over a sample's references.
    public private(set) var referenceLength = 0.0

    public init() {}

    init(edits: Int, referenceLength: Double) {
        self.edits = Double(edits)
        self.referenceLength = referenceLength
    }

    /// Edits, reference length.
    public init?(values: [Double]) {
        guard values.count == 2, Self.areCounts(values) else { return nil }
        self.edits = values[0]
        self.referenceLength = values[1]
    }

    public var values: [Double] { [self.edits, self.referenceLength] }

    public static func += (sum: inout Self, sample: Self) {
        sum.edits += sample.edits
        sum.referenceLength += sample.referenceLength
    }

    /// Edits per 100 words of reference: 0 is best, more than 100 is possible; 100 for any edits of an empty one.
    public var score: Double {
        if self.referenceLength > 0 { return 100 * (self.edits / self.referenceLength) }
        return self.edits > 0 ? 100 : 0
    }
}

/// The costs of editing the first words of a hypothesis into the first words of a reference, near the diagonal.
struct EditMatrix {
    /// Columns to each side of the diagonal, at least.
    private static let minimumReach = 25
    private static let infinity = Int32.max / 2

    private let reference: [UInt32]
    /// The columns of each row that are computed, never further left than a row before; the others cost too much.
    private let windows: [Range<Int>]
    /// Where each row's window starts in `costs`.
    private let offsets: [Int]
    private var costs: [Int32]

    /// `rows`: the words of the hypothesis, at least one.
    init(rows: Int, reference: [UInt32]) {
        self.reference = reference
        let columns = reference.count + 1
        let slope = Double(reference.count) / Double(rows)
        let minimum = Double(Self.minimumReach)
        // Wider where the diagonal is so steep that the windows would not meet.
        let reach = minimum < slope / 2 ? Int((slope / 2 + minimum).rounded(.up)) : Self.minimumReach
        self.windows = (0...rows).map { row in
            guard row > 0 else { return 0..<columns }
            let diagonal = Int((Double(row) * slope).rounded(.down))
            return max(0, diagonal - reach)..<(row == rows ? columns : min(columns, diagonal + reach))
        }
        var size = 0
        self.offsets = self.windows.map { window in
            defer { size += window.count }
            return size
        }
        self.costs = [Int32](repeating: 0, count: size)
        for column in 0..<columns { self.costs[column] = Int32(truncatingIfNeeded: column) }
    }

    /// From the whole hypothesis to the whole reference.
    var distance: Int { Int(self.costs[self.costs.count - 1]) }

    private subscript(row: Int, column: Int) -> Int32 {
        let window = self.windows[row]
        return window.contains(column) ? self.costs[self.offsets[row] + column - window.lowerBound] : Self.infinity
    }

    /// Takes a row from a matrix of the same size.
    mutating func copyRow(_ row: Int, of other: EditMatrix) {
        let range = self.offsets[row]..<self.offsets[row] + self.windows[row].count
        self.costs.replaceSubrange(range, with: other.costs[range])
    }

    /// Computes the rows after `first`, which is right already.
    mutating func fill(_ hypothesis: [UInt32], behind first: Int) {
        for row in first + 1..<self.windows.count {
            let word = hypothesis[row - 1]
            let window = self.windows[row]
            let offset = self.offsets[row] - window.lowerBound
            let above = self.offsets[row - 1] - self.windows[row - 1].lowerBound
            let end = self.windows[row - 1].upperBound
            var left = Self.infinity
            var diagonal = self[row - 1, window.lowerBound - 1]
            // Without a check at each of the inner loop's steps, which is where all the time goes.
            self.costs.withUnsafeMutableBufferPointer { costs in
                for column in window {
                    let up = column < end ? costs[above + column] : Self.infinity
                    var cost = min(up, left) + 1
                    if column > 0 { cost = min(cost, diagonal + (word == self.reference[column - 1] ? 0 : 1)) }
                    left = min(cost, Self.infinity)
                    diagonal = up
                    costs[offset + column] = left
                }
            }
        }
    }

    /// Goes back from the end: a match or a substitution before a deletion before an insertion.
    func alignment(of hypothesis: [UInt32]) -> Alignment {
        var row = hypothesis.count
        var column = self.reference.count
        var alignment = Alignment(hypothesisLength: row, referenceLength: column)
        while row > 0 || column > 0 {
            let cost = self[row, column]
            let isSame = row > 0 && column > 0 && hypothesis[row - 1] == self.reference[column - 1]
            if row > 0, column > 0, self[row - 1, column - 1] + (isSame ? 0 : 1) == cost {
                alignment.place(column - 1, at: row - 1)
                if isSame { alignment.match(column - 1, with: row - 1) }
                row -= 1
                column -= 1
            } else if column == 0 || (row > 0 && self[row - 1, column] + 1 == cost) {
                row -= 1
            } else {
                alignment.place(column - 1, at: row - 1)
                column -= 1
            }
        }
        return alignment
    }
}

/// Which words of a hypothesis and a reference belong together by an edit distance, and which are wrong.
struct Alignment {
    /// For each word of the reference the hypothesis' word at or before it; -1 before the first.
    private(set) var positions: [Int]
    private(set) var isWrongInReference: [Bool]
    private(set) var isWrongInHypothesis: [Bool]

    init(hypothesisLength: Int, referenceLength: Int) {
        self.positions = [Int](repeating: -1, count: referenceLength)
        self.isWrongInReference = [Bool](repeating: true, count: referenceLength)
        self.isWrongInHypothesis = [Bool](repeating: true, count: hypothesisLength)
    }

    mutating func place(_ word: Int, at position: Int) { self.positions[word] = position }

    mutating func match(_ word: Int, with position: Int) {
        self.isWrongInReference[word] = false
        self.isWrongInHypothesis[position] = false
    }

    /// Whether one of so many words of the hypothesis is wrong.
    func isWrong(from start: Int, length: Int) -> Bool {
        self.isWrongInHypothesis[start...].prefix(length).contains(true)
    }

    /// Where a run of the hypothesis that is also in the reference, at `place`, is worth trying.
    func targets(start: Int, place: Int, length: Int) -> [Int] {
        let run = start..<start + length
        guard self.isWrongInHypothesis[run].contains(true),
            self.isWrongInReference[place..<place + length].contains(true),
            !run.contains(self.positions[place])
        else { return [] }
        var targets: [Int] = []
        for word in place - 1..<place + length {
            let target = word < 0 ? 0 : self.positions[word] + 1
            if target != targets.last { targets.append(target) }
        }
        return targets
    }
}

/// Words of a hypothesis that move together.
struct Shift {
    var start: Int
    var length: Int
    /// The word before which they go.
    ///
    /// If that is one of their own, or the one behind them, they move back by `target - start` words instead.
    var target: Int

    /// Words before this one keep their places.
    var firstChange: Int { min(self.start, self.target) }

    func applied(to words: [UInt32]) -> [UInt32] {
        let end = self.start + self.length
        var shifted = words
        shifted.removeSubrange(self.start..<end)
        let place = self.target > end ? self.target - self.length : min(self.target, shifted.count)
        shifted.insert(contentsOf: words[self.start..<end], at: place)
        return shifted
    }
}

/// Tercom's greedy search for shifts that bring a hypothesis closer to a reference, with sacrebleu's limits.
struct ShiftSearch {
    private static let maximumLength = 10
    private static let maximumDistance = 50
    /// For a hypothesis and a reference together, over all its shifts.
    private static let maximumCandidates = 1000

    private let reference: [UInt32]
    private var words: [UInt32]
    private var matrix: EditMatrix
    /// For the candidates: only the rows behind a shift's first change are computed.
    private var trial: EditMatrix
    private var candidates = 0

    /// Insertions, deletions, substitutions and shifts: what an edit rate counts.
    static func edits(from hypothesis: [UInt32], to reference: [UInt32]) -> Int {
        guard !hypothesis.isEmpty, !reference.isEmpty else { return max(hypothesis.count, reference.count) }
        var search = ShiftSearch(hypothesis, reference)
        return search.run()
    }

    private init(_ hypothesis: [UInt32], _ reference: [UInt32]) {
        self.reference = reference
        self.words = hypothesis
        self.matrix = EditMatrix(rows: hypothesis.count, reference: reference)
        self.trial = self.matrix
        self.matrix.fill(hypothesis, behind: 0)
    }

    private mutating func run() -> Int {
        var shifts = 0
        while let best = self.bestShift(), best.gain > 0 {
            shifts += 1
            self.words = best.shift.applied(to: self.words)
            self.matrix.fill(self.words, behind: best.shift.firstChange)
        }
        return shifts + self.matrix.distance
    }

    /// The shift that saves most edits; `nil` without a candidate, and also once there were too many of them.
    private mutating func bestShift() -> (shift: Shift, gain: Int)? {
        let alignment = self.matrix.alignment(of: self.words)
        var best: (shift: Shift, gain: Int)?
        for start in self.words.indices where alignment.isWrong(from: start, length: Self.maximumLength) {
            let nearest = max(0, start - Self.maximumDistance)
            let farthest = min(self.reference.count - 1, start + Self.maximumDistance)
            guard nearest <= farthest else { break }
            for place in nearest...farthest where self.reference[place] == self.words[start] {
                for length in 1...self.commonLength(start, place) {
                    for target in alignment.targets(start: start, place: place, length: length) {
                        self.consider(Shift(start: start, length: length, target: target), &best)
                    }
                    if self.candidates >= Self.maximumCandidates { return nil }
                }
            }
        }
        return best
    }

    /// How many words are the same from there on.
    private func commonLength(_ start: Int, _ place: Int) -> Int {
        zip(self.words[start...], self.reference[place...]).prefix(Self.maximumLength).prefix { $0 == $1 }.count
    }

    private mutating func consider(_ shift: Shift, _ best: inout (shift: Shift, gain: Int)?) {
        self.candidates += 1
        self.trial.copyRow(shift.firstChange, of: self.matrix)
        self.trial.fill(shift.applied(to: self.words), behind: shift.firstChange)
        let gain = self.matrix.distance - self.trial.distance
        // Equal gains: the longest, then the first in the hypothesis, then the one that goes farthest to the front.
        if let best,
            (gain, shift.length, -shift.start, -shift.target)
                <= (best.gain, best.shift.length, -best.shift.start, -best.shift.target)
        {
            return
        }
        best = (shift, gain)
    }
}
