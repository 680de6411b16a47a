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

/// Counts for chrF or chrF++, of one sample or of many together.
public struct CharacterFStatistics: TranslationStatistics {
    /// The n-grams of one order.
    struct Counts: Hashable {
        /// 0 where the reference has no n-gram of that order.
        var hypothesis = 0.0
        var reference = 0.0
        var matches = 0.0
    }

    /// Characters 1...6, then words 1...2 for chrF++; none before a sample was added.
    private(set) var orders: [Counts] = []

    public init() {}

    init(orders: [Counts]) { self.orders = orders }

    /// For each order: hypothesis, reference, matches.
    public init?(values: [Double]) {
        guard [0, 18, 24].contains(values.count), Self.areCounts(values) else { return nil }
        self.orders = stride(from: 0, to: values.count, by: 3).map { index in
            Counts(hypothesis: values[index], reference: values[index + 1], matches: values[index + 2])
        }
    }

    public var values: [Double] { self.orders.flatMap { [$0.hypothesis, $0.reference, $0.matches] } }

    /// An order that one of them lacks counts as 0 there.
    public static func += (sum: inout Self, sample: Self) {
        let missing = max(0, sample.orders.count - sum.orders.count)
        sum.orders.append(contentsOf: repeatElement(Counts(), count: missing))
        for (index, counts) in sample.orders.enumerated() {
            sum.orders[index].hypothesis += counts.hypothesis
            sum.orders[index].reference += counts.reference
            sum.orders[index].matches += counts.matches
        }
    }

    /// chrF2 or chrF2++ (Popović, 2015 and 2017), 0...100, over the orders that both sides have.
    public var score: Double {
        let factor = 4.0  // Beta is 2.
        let present = self.orders.filter { $0.hypothesis > 0 && $0.reference > 0 }
        guard !present.isEmpty else { return 0 }
        let precision = present.reduce(0) { $0 + $1.matches / $1.hypothesis } / Double(present.count)
        let recall = present.reduce(0) { $0 + $1.matches / $1.reference } / Double(present.count)
        guard precision + recall > 0 else { return 0 }
        return 100 * ((1 + factor) * precision * recall / (factor * precision + recall))
    }
}
