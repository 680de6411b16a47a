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
