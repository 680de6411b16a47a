import PythonCompat
import Testing

@testable import Evaluation

/// Languages, sentences and words are found as langdetect and NLTK find them.
@Suite struct LanguageTests {
    @Test func languages() {
        let cases = IFEvalFixture.cases("detections")
        #expect(cases.count > 500)
        #expect(Set(cases.map { $0[at: "language"].text }).count > 50)
        for example in cases {
            let text = example[at: "text"].text
            #expect(LanguageDetector.language(text.codePoints) == example[at: "language"].string, "\(text.prefix(200))")
        }
    }

    @Test func sentencesAndWords() {
        let cases = IFEvalFixture.cases("tokenizations")
        #expect(cases.count > 800)
        for example in cases {
            let text = example[at: "text"].text.codePoints
            let sentences = PunktTokenizer.sentences(text).map { ExactText(String($0)) }
            #expect(sentences == example[at: "sentences"].texts.map(ExactText.init))
            let words = NLTKWords.words(text).map { ExactText(String($0)) }
            #expect(words == example[at: "words"].texts.map(ExactText.init))
            #expect(NLTKText.wordCount(text) == example[at: "count"].integer)
        }
    }

    @Test func json() {
        for example in IFEvalFixture.cases("json") {
            let text = example[at: "text"].text
            #expect(PythonJSON.isValid(text.codePoints[...]) == (example[at: "valid"] == .bool(true)), "\(text)")
        }
    }

    /// Nesting needs no stack.
    @Test func deepJSON() {
        let text = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(PythonJSON.isValid(text.codePoints[...]))
        #expect(!PythonJSON.isValid(text.codePoints.dropLast()))
    }

    @Test func literalSearch() {
        func places(_ part: String, _ text: String, overlapping: Bool, ignoresCase: Bool = false) -> [Int] {
            var places: [Int] = []
            LiteralSearch(part, ignoresCase: ignoresCase).visit(in: text.codePoints, overlapping: overlapping) {
                places.append($0.lowerBound)
                return true
            }
            return places
        }
        #expect(places("aa", "aaaa", overlapping: false) == [0, 2])
        #expect(places("aa", "aaaa", overlapping: true) == [0, 1, 2])
        #expect(places("aab", "aaaab", overlapping: true) == [2])
        #expect(places("abab", "abababab", overlapping: true) == [0, 2, 4])
        #expect(places("", "ab", overlapping: true) == [0, 1, 2])
        #expect(places("sk", "SK ſK sk s", overlapping: false, ignoresCase: true) == [0, 3, 6])
    }
}
