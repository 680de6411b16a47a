import Foundation
import Testing

@testable import ScoreMetrics

/// BLEU as truthfulqa_gen takes it; Fixtures/sacrebleu/international_fixtures.py wrote what sacrebleu gave.
@Suite struct InternationalBLEUTests {
    private struct Sample: Decodable {
        var hypothesis: String
        var reference: String
        var tokens: [String]
        var score: Double
    }

    @Test func tokensAndScoresAreThoseOfSacrebleu() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/sacrebleu/international.json")
        let samples = try JSONDecoder().decode([Sample].self, from: Data(contentsOf: file))
        #expect(samples.count > 50)
        for sample in samples {
            let tokens = InternationalBLEU.tokens(sample.hypothesis).map { String(String.UnicodeScalarView($0)) }
            #expect(tokens.map { Array($0.utf8) } == sample.tokens.map { Array($0.utf8) }, "\(sample.hypothesis)")
            let score = InternationalBLEU.score(sample.hypothesis, [sample.reference])
            #expect(abs(score - sample.score) <= 1e-9 * max(1, sample.score), "\(sample.hypothesis)")
        }
    }
}
