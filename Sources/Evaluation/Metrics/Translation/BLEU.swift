internal import PythonCompat

/// BLEU as sacrebleu 2.6.0 computes it by default: 13a tokens, case kept, n-grams of up to four.
public enum BLEU {
    /// A sample's counts; no reference counts as an empty one.
    public static func statistics(hypothesis: String, references: [String]) -> BLEUStatistics {
        Self.statistics(hypothesis: hypothesis, references: references, tokens: MTEvalTokenizer.tokens)
    }

    static func statistics(
        hypothesis: String, references: [String], tokens: (String) -> [CodePoints]
    ) -> BLEUStatistics {
        var vocabulary = Vocabulary()
        let hypothesis = vocabulary.numbers(of: tokens(hypothesis))
        let references = references.map { vocabulary.numbers(of: tokens($0)) }
        return BLEUStatistics(
            hypothesisLength: hypothesis.count,
            referenceLength: Self.closest(to: hypothesis.count, among: references.map(\.count)),
            matches: NGrams.matches(hypothesis, references, orders: 4))
    }

    /// The shorter one where two are equally close.
    private static func closest(to length: Int, among lengths: [Int]) -> Int {
        lengths.min { (abs($0 - length), $0) < (abs($1 - length), $1) } ?? 0
    }
}
