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
