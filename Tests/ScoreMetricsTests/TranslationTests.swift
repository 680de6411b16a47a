import PythonCompat
import Testing

@testable import ScoreMetrics

@Suite("BLEU, chrF and TER as sacrebleu computes them")
struct TranslationTests {
    private static let tolerance = 1e-9

    /// All four metrics' counts of one sample or of many.
    private struct Counts {
        var bleu = BLEUStatistics()
        var chrF = CharacterFStatistics()
        var chrFPlusPlus = CharacterFStatistics()
        var edits = EditStatistics()

        init() {}

        init(_ hypothesis: String, _ references: [String]) throws {
            self.bleu = BLEU.statistics(hypothesis: hypothesis, references: references)
            self.chrF = CharacterF.chrF.statistics(hypothesis: hypothesis, references: references)
            self.chrFPlusPlus = CharacterF.chrFPlusPlus.statistics(hypothesis: hypothesis, references: references)
            self.edits = try #require(
                TranslationEditRate.statistics(hypothesis: hypothesis, references: references))
        }

        var scores: [Double] { [self.bleu.score, self.chrF.score, self.chrFPlusPlus.score, self.edits.score] }

        static func += (sum: inout Self, sample: Self) {
            sum.bleu += sample.bleu
            sum.chrF += sample.chrF
            sum.chrFPlusPlus += sample.chrFPlusPlus
            sum.edits += sample.edits
        }

        /// Written and read again.
        func copied() throws -> Counts {
            var copy = Counts()
            copy.bleu = try #require(BLEUStatistics(values: self.bleu.values))
            copy.chrF = try #require(CharacterFStatistics(values: self.chrF.values))
            copy.chrFPlusPlus = try #require(CharacterFStatistics(values: self.chrFPlusPlus.values))
            copy.edits = try #require(EditStatistics(values: self.edits.values))
            return copy
        }
    }

    @Test func samplesAndCorpora() throws {
        let fixture = try TranslationFixture.read()
        #expect(fixture.samples.count > 500)
        let counts = try fixture.samples.map { try Counts($0.hypothesis, $0.references) }
        var largest = 0.0
        for (sample, counts) in zip(fixture.samples, counts) {
            #expect(counts.bleu.values == sample.bleu, "\(sample)")
            #expect(counts.edits.values == sample.ter, "\(sample)")
            let difference = Self.difference(counts.scores, sample.scores)
            #expect(difference < Self.tolerance, "\(sample): \(counts.scores)")
            largest = max(largest, difference)
        }
        for corpus in fixture.corpora {
            let sum = try corpus.samples.reduce(into: Counts()) { $0 += try counts[$1].copied() }
            let difference = Self.difference(sum.scores, corpus.scores)
            #expect(difference < Self.tolerance, "\(corpus): \(sum.scores)")
            largest = max(largest, difference)
        }
        print("largest difference to sacrebleu: \(largest)")
    }

    private static func difference(_ a: [Double], _ b: [Double]) -> Double {
        a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    @Test("Sums do not depend on how samples are grouped")
    func sums() throws {
        let samples = try TranslationFixture.read().samples.map {
            BLEU.statistics(hypothesis: $0.hypothesis, references: $0.references)
        }
        var halves = BLEUStatistics.sum(of: samples.prefix(100))
        halves += .sum(of: samples.dropFirst(100))
        #expect(halves == .sum(of: samples))
        #expect(BLEUStatistics.sum(of: []) == BLEUStatistics())
    }

    @Test("No sample scores 0")
    func nothing() {
        #expect(Counts().scores == [0, 0, 0, 0])
    }

    @Test("Values that no statistics wrote are refused")
    func foreignValues() {
        for values in [[], [1], [-1, 2], [.nan, 1], [1, .infinity], [1, 2, 3]] {
            #expect(EditStatistics(values: values) == nil)
            #expect(BLEUStatistics(values: values) == nil)
        }
        #expect(BLEUStatistics(values: [Double](repeating: -1, count: 10)) == nil)
        #expect(CharacterFStatistics(values: [1, 1, 1]) == nil)
        #expect(CharacterFStatistics(values: [Double](repeating: .nan, count: 18)) == nil)
    }

    @Test("A sample without references counts as one with an empty reference")
    func noReferences() throws {
        #expect(try Counts("a b", []).scores == Counts("a b", [""]).scores)
        #expect(BLEU.statistics(hypothesis: "a", references: []).values == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    }

    @Test("Canonical equivalents differ, as in Python")
    func canonicalEquivalents() throws {
        #expect(try Counts("e\u{301}", ["é"]).scores == [0, 0, 0, 100])
    }

    @Test("Lower case of every code point is Python's")
    func lowercase() throws {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), scalar.properties.changesWhenLowercased else { continue }
            let lower = PythonText.lowercased(String(Character(scalar)))
            guard lower != [scalar] else { continue }
            for part in [scalar] + lower { digest = (digest ^ UInt64(part.value)) &* 0x100_0000_01B3 }
        }
        let hexadecimal = String(digest, radix: 16)
        let expected = try TranslationFixture.read().lowercase
        #expect(String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal == expected)
    }

    @Test("Long and odd texts end soon")
    func hostileTexts() throws {
        let pieces = [
            "a", "a ", "a b ", ". ", "&amp;", "<skipped", "-\n", "\u{301}", "Σ\u{301}", "👩‍👩‍👧", "\0 ", "世界",
        ]
        for piece in pieces {
            let text = String(repeating: piece, count: 20_000 / piece.utf8.count)
            for (hypothesis, reference) in [(text, "a b. c"), ("a b. c", text), (text, text)] {
                let scores = try Counts(hypothesis, [reference]).scores
                #expect(scores.allSatisfy { $0.isFinite && $0 >= 0 })
                #expect(scores.prefix(3).allSatisfy { $0 < 100.000001 })
            }
        }
    }

    @Test("A megabyte is no trouble")
    func megabyte() {
        let text = String(repeating: "Ünd so weiter, ", count: 1_000_000 / 16)
        #expect(BLEU.statistics(hypothesis: text, references: ["und so weiter."]).score > 0)
        #expect(CharacterF.chrFPlusPlus.statistics(hypothesis: text, references: ["und so weiter."]).score > 0)
        #expect(TranslationEditRate.statistics(hypothesis: text, references: ["und so weiter."]) == nil)
    }

    @Test("Edit rates are bounded by the number of words")
    func tooManyWords() {
        let most = String(repeating: "a ", count: TranslationEditRate.maximumWords)
        #expect(TranslationEditRate.statistics(hypothesis: most, references: ["a"])?.values == [9999, 1])
        #expect(TranslationEditRate.statistics(hypothesis: most + "b", references: ["a"]) == nil)
        #expect(TranslationEditRate.statistics(hypothesis: "a", references: ["b", most + "b"]) == nil)
    }
}
