import EngineTesting
import Foundation
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
    func textSurvivesTheRoundTrip(_ text: String) throws {
        let tokens = try self.vocabulary.tokenize(text, addSpecial: false)
        #expect(self.vocabulary.detokenize(tokens) == text)
        #expect(try self.vocabulary.tokenize(text, addSpecial: true) == [0] + tokens)
    }

    @Test func specialTokensInTextStayText() throws {
        let tokens = try self.vocabulary.tokenize("a<|im_end|><|endoftext|>b", addSpecial: false)
        #expect(!tokens.contains(0))
        #expect(!tokens.contains(1))
    }

    @Test func mergesAreUsed() throws {
        #expect(try self.vocabulary.tokenize(" the", addSpecial: false).count == 1)
    }

    @Test func idsOutsideTheVocabularyAreHarmless() {
        for token in [Int32.min, -1, 318, Int32.max] {
            #expect(self.vocabulary.piece(token).isEmpty)
            #expect(!self.vocabulary.endsGeneration(token))
            #expect(self.vocabulary.name(token) == "?")
        }
        #expect(self.vocabulary.piece(1).isEmpty)
    }

    @Test func longTextsAreNoProblem() throws {
        let text = String(repeating: "a", count: 20_000) + String(repeating: " the", count: 20_000)
        #expect(try self.vocabulary.detokenize(self.vocabulary.tokenize(text, addSpecial: false)) == text)
    }

    /// llama.cpp splits texts by regular expressions that recurse for every letter of a word: 330 bytes of stack each.
    @Test(arguments: ["deepseek-llm", "bloom", "gpt-4o", "gpt-2"])
    func aWordOfMegabytesIsNoProblem(_ splitting: String) async throws {
        let path = try TinyModel { $0.set("tokenizer.ggml.pre", .string(splitting)) }.write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        await #expect(processExitsWith: .success) { [path = path as String] in
            let vocabulary = try LlamaModel(path: path, vocabularyOnly: true).vocabulary
            for letter in ["a", " ", "1"] {
                let text = String(repeating: letter, count: 3_000_000)
                #expect(try vocabulary.detokenize(vocabulary.tokenize(text, addSpecial: false)) == text)
            }
        }
    }

    @Test func aTextThatIsTooLongIsAnError() throws {
        let text = String(repeating: "a", count: (1 << 26) + 1)
        #expect(try llamaError { try self.vocabulary.tokenize(text, addSpecial: false) }?.code == .limitExceeded)
    }

    @Test func outlivesItsModel() throws {
        var model: LlamaModel? = try LlamaModel(path: tinyModelPath, vocabularyOnly: true)
        let vocabulary = try #require(model?.vocabulary)
        model = nil
        #expect(try vocabulary.detokenize(vocabulary.tokenize("still here", addSpecial: false)) == "still here")
    }
}
