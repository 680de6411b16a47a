internal import PythonCompat

/// chrF as sacrebleu 2.6.0 computes it by default: beta 2, case kept, characters without white space.
public enum CharacterF: Sendable, Hashable {
    /// Character n-grams of up to six.
    case chrF
    /// And word n-grams of up to two.
    case chrFPlusPlus

    /// A sample's counts with the reference that gives the best score; no reference counts as an empty one.
    public func statistics(hypothesis: String, references: [String]) -> CharacterFStatistics {
        let hypothesis = Array(hypothesis.unicodeScalars)
        let references = references.isEmpty ? [[]] : references.map { Array($0.unicodeScalars) }
        var best = CharacterFStatistics()
        for (index, reference) in references.enumerated() {
            let statistics = self.statistics(hypothesis, reference)
            if index == 0 || statistics.score > best.score { best = statistics }
        }
        return best
    }

    private func statistics(_ hypothesis: [Unicode.Scalar], _ reference: [Unicode.Scalar]) -> CharacterFStatistics {
        var orders = Self.counts(Self.characters(hypothesis), Self.characters(reference), orders: 6)
        if self == .chrFPlusPlus {
            var vocabulary = Vocabulary()
            let words = vocabulary.numbers(of: Self.words(hypothesis))
            orders += Self.counts(words, vocabulary.numbers(of: Self.words(reference)), orders: 2)
        }
        return CharacterFStatistics(orders: orders)
    }

    private static func counts(
        _ hypothesis: [UInt32], _ reference: [UInt32], orders: Int
    ) -> [CharacterFStatistics.Counts] {
        NGrams.matches(hypothesis, [reference], orders: orders).enumerated().map { index, matches in
            let inReference = NGrams.count(order: index + 1, length: reference.count)
            let inHypothesis = NGrams.count(order: index + 1, length: hypothesis.count)
            return CharacterFStatistics.Counts(
                hypothesis: inReference == 0 ? 0 : Double(inHypothesis), reference: Double(inReference),
                matches: Double(matches))
        }
    }

    private static func characters(_ text: [Unicode.Scalar]) -> [UInt32] {
        text.lazy.filter { !PythonText.isSpace($0) }.map(\.value)
    }

    /// Words with one mark split off: the last if it is one, else the first.
    private static func words(_ text: [Unicode.Scalar]) -> [CodePoints] {
        PythonText.words(text).flatMap { word in
            guard word.count > 1, let first = word.first, let last = word.last else { return [word] }
            if PythonText.isASCIIPunctuation(last) { return [word.dropLast(), word.suffix(1)] }
            if PythonText.isASCIIPunctuation(first) { return [word.prefix(1), word.dropFirst()] }
            return [word]
        }
    }
}
