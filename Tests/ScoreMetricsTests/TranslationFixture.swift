#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What sacrebleu itself gave; Fixtures/sacrebleu/translation_fixtures.py wrote it.
struct TranslationFixture: Decodable {
    struct Sample: Decodable {
        var hypothesis: String
        var references: [String]
        /// BLEU, chrF, chrF++, TER.
        var scores: [Double]
        /// Hypothesis length, reference length, four matches, four totals.
        var bleu: [Double]
        /// Edits, reference length.
        var ter: [Double]
    }

    struct Corpus: Decodable {
        var samples: [Int]
        var scores: [Double]
    }

    /// A digest of Python's `str.lower()` for every code point.
    var lowercase: String
    var samples: [Sample]
    var corpora: [Corpus]

    static func read() throws -> TranslationFixture {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/sacrebleu/translation.json")
        return try JSONDecoder().decode(TranslationFixture.self, from: Data(contentsOf: file))
    }
}
