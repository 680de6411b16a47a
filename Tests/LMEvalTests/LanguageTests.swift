import JSON
import PythonCompat
import Testing

@testable import NaturalLanguage

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
}
