import Testing

@testable import Llama

@Suite struct VocabularyTests {
    private let vocabulary: Vocabulary

    init() throws {
        self.vocabulary = try LlamaModel(path: tinyModelPath, vocabularyOnly: true).vocabulary
    }

    @Test func knowsItsSpecialTokens() {
        #expect(self.vocabulary.count == 318)
        #expect(self.vocabulary.beginningOfText == 0)
        #expect(self.vocabulary.endOfText == 0)
        #expect(self.vocabulary.endOfTurn == 1)
        #expect(self.vocabulary.addsBeginningOfText)
        #expect(!self.vocabulary.addsEndOfText)
        #expect(self.vocabulary.endsGeneration(0))
        #expect(self.vocabulary.endsGeneration(1))
        #expect(!self.vocabulary.endsGeneration(2))
        #expect(self.vocabulary.name(1) == "<|im_end|>")
    }

    @Test(arguments: ["", "the question", "Größe 漢字 👩‍🚀\n\t\u{0}x", "  leading and trailing  ", "<|im_end|>"])
    func textSurvivesTheRoundTrip(_ text: String) {
        let tokens = self.vocabulary.tokenize(text, addSpecial: false)
        #expect(self.vocabulary.detokenize(tokens) == text)
        #expect(self.vocabulary.tokenize(text, addSpecial: true) == [0] + tokens)
    }

    @Test func specialTokensInTextStayText() {
        let tokens = self.vocabulary.tokenize("a<|im_end|><|endoftext|>b", addSpecial: false)
        #expect(!tokens.contains(0))
        #expect(!tokens.contains(1))
    }

    @Test func mergesAreUsed() {
        #expect(self.vocabulary.tokenize(" the", addSpecial: false).count == 1)
    }

    @Test func idsOutsideTheVocabularyAreHarmless() {
        for token in [Int32.min, -1, 318, Int32.max] {
            #expect(self.vocabulary.piece(token).isEmpty)
            #expect(!self.vocabulary.endsGeneration(token))
            #expect(self.vocabulary.name(token) == "?")
        }
        #expect(self.vocabulary.piece(1).isEmpty)
    }

    @Test func longTextsAreNoProblem() {
        let text = String(repeating: "a", count: 20_000) + String(repeating: " the", count: 20_000)
        #expect(self.vocabulary.detokenize(self.vocabulary.tokenize(text, addSpecial: false)) == text)
    }

    @Test func outlivesItsModel() throws {
        var model: LlamaModel? = try LlamaModel(path: tinyModelPath, vocabularyOnly: true)
        let vocabulary = try #require(model?.vocabulary)
        model = nil
        #expect(vocabulary.detokenize(vocabulary.tokenize("still here", addSpecial: false)) == "still here")
    }
}
