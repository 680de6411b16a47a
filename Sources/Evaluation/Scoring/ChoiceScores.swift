#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The metrics of a multiple-choice sample, as lm-eval computes them; of equally good choices the first counts.
struct ChoiceScores {
    /// The most likely choice.
    let best: Int
    private let choices: [ChoiceResult]
    private let unconditional: [Double]?
    private let golds: [Int]
    private let probabilities: [Double]

    /// - Parameters:
    ///   - choices: At least one.
    ///   - unconditional: Each choice's log-likelihood without the context; needed for acc_mutual_info alone.
    ///   - golds: The right ones, at least one.
    init(_ choices: [ChoiceResult], unconditional: [Double]?, golds: [Int]) {
        let logProbs = choices.map(\.logProb)
        self.choices = choices
        self.unconditional = unconditional
        self.golds = golds
        self.best = Self.firstMaximum(logProbs)
        let largest = logProbs.max() ?? 0
        let shares = logProbs.map { exp($0 - largest) }
        let sum = shares.reduce(0, +)
        self.probabilities = shares.map { $0 / sum }
    }

    func value(_ metric: Metric) -> ScoredMetric? {
        switch metric {
        case .acc: return self.isRight(self.best)
        case .accNorm: return self.isRight { $0.logProb / Double($0.characterCount) }
        case .accBytes: return self.isRight { $0.logProb / Double($0.byteCount) }
        case .accMutualInfo:
            guard let unconditional else { return nil }
            return self.isRight(Self.firstMaximum(zip(self.choices, unconditional).map { $0.logProb - $1 }))
        case .exactMatch: return ScoredMetric(self.golds.contains { self.choices[$0].isGreedy })
        case .f1, .mcc:
            // Classes are single; lm-eval refuses several as well.
            guard self.golds.count == 1 else { return nil }
            var scored = self.isRight(self.best)
            scored.terms = [Double(self.golds[0]), Double(self.best)]
            return scored
        case .brierScore:
            guard self.golds.count == 1 else { return nil }
            return ScoredMetric(
                self.probabilities.enumerated().reduce(0) { sum, entry in
                    let gap = entry.element - (entry.offset == self.golds[0] ? 1 : 0)
                    return sum + gap * gap
                })
        case .calibrationError:
            var scored = self.isRight(self.best)
            scored.terms = [self.probabilities[self.best]]
            return scored
        default: return nil
        }
    }

    private func isRight(_ choice: Int) -> ScoredMetric { ScoredMetric(self.golds.contains(choice)) }

    private func isRight(by measure: (ChoiceResult) -> Double) -> ScoredMetric {
        self.isRight(Self.firstMaximum(self.choices.map(measure)))
    }

    private static func firstMaximum(_ values: [Double]) -> Int {
        var best = 0
        for (index, value) in values.enumerated() where value > values[best] { best = index }
        return best
    }
}
