internal import PythonCompat

/// A row's filtered texts beside what is right.
struct TextComparison {
    let texts: [String]
    let references: [String]
    let normalizer: ExactMatch

    /// A metric that compares texts; `nil` for another one, or with too few texts.
    func value(_ metric: Metric) throws(PatternError) -> ScoredMetric? {
        guard !self.texts.isEmpty else { return nil }
        switch metric {
        case .exactMatch:
            return ScoredMetric(Double(try self.rightTexts) / Double(self.texts.count))
        case .pass(let count):
            return Self.passAt(count, of: self.texts.count, right: try self.rightTexts).map { ScoredMetric($0) }
        case .majority(let count):
            guard count <= self.texts.count else { return nil }
            return ScoredMetric(try self.isRight(Self.mostFrequent(self.texts.prefix(count))))
        default: return nil
        }
    }

    /// A metric of programs that were run; `nil` for another one, or with too few programs.
    static func value(_ metric: Metric, of verdicts: [ProgramVerdict]) -> ScoredMetric? {
        guard case .pass(let count) = metric else { return nil }
        return Self.passAt(count, of: verdicts.count, right: verdicts.count(where: \.isPassed)).map { ScoredMetric($0) }
    }

    /// 1 - C(n - c, k) / C(n, k); `nil` if there are fewer texts than k.
    static func passAt(_ count: Int, of total: Int, right: Int) -> Double? {
        guard count >= 1, count <= total else { return nil }
        guard total - right >= count else { return 1 }
        var failure = 1.0
        for number in stride(from: total - right + 1, through: total, by: 1) {
            failure *= 1 - Double(count) / Double(number)
        }
        return 1 - failure
    }

    private var rightTexts: Int {
        get throws(PatternError) {
            var right = 0
            for text in self.texts where try self.isRight(text) { right += 1 }
            return right
        }
    }

    private func isRight(_ text: String) throws(PatternError) -> Bool {
        for reference in self.references where try self.normalizer.matches(text, reference) { return true }
        return false
    }

    /// Of equally frequent texts the first.
    private static func mostFrequent(_ texts: ArraySlice<String>) -> String {
        var counts: [[UInt8]: Int] = [:]
        for text in texts { counts[Array(text.utf8), default: 0] += 1 }
        let most = counts.values.max() ?? 0
        return texts.first { counts[Array($0.utf8)] == most } ?? ""
    }
}
