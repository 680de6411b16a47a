/// What the statistics' values are called in result files.
enum TranslationTerms {
    static let bleu =
        ["hypothesis_length", "reference_length"] + (1...4).map { "matches_\($0)" } + (1...4).map { "total_\($0)" }
    static let chrF = Self.characterF(words: 0)
    static let chrFPlusPlus = Self.characterF(words: 2)
    static let edits = ["edits", "reference_length"]

    private static func characterF(words: Int) -> [String] {
        let orders = (1...6).map { "character_\($0)" } + (0..<words).map { "word_\($0 + 1)" }
        return orders.flatMap { order in ["hypothesis", "reference", "matches"].map { "\(order)_\($0)" } }
    }
}
