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
