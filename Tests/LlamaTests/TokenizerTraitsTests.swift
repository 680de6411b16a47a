import EngineTesting
import Foundation
import Testing

@testable import Llama

@Suite struct TokenizerTraitsTests {
    private static func file(_ change: (inout GGUFBuilder) -> Void) throws -> GGUFFile {
        var builder = GGUFBuilder()
        change(&builder)
        return try withFile(builder.bytes()) { try GGUFFile(path: $0) }
    }

    @Test func aTokenizerThatLlamaCppGuessesIsInDoubt() throws {
        let missing = try Self.file { $0.set("tokenizer.ggml.pre", nil) }
        #expect(missing.tokenizer.doubt?.contains("tokenizer.ggml.pre is missing") == true)
        let unknown = try Self.file { $0.set("tokenizer.ggml.pre", .string("default")) }
        #expect(unknown.tokenizer.doubt?.contains("\"default\"") == true)
        #expect(try Self.file { $0.set("tokenizer.ggml.pre", .string("gpt-2")) }.tokenizer.doubt == nil)
        // SentencePiece has no rules for splitting words.
        let pieces = try Self.file {
            $0.set("tokenizer.ggml.model", .string("llama"))
            $0.set("tokenizer.ggml.scores", .floats([0, 0]))
        }
        #expect(pieces.tokenizer.doubt == nil)
    }

    @Test func aFileThatNamesNoBeginningHasNone() throws {
        func beginning(_ change: @escaping @Sendable (inout GGUFBuilder) -> Void) throws -> Int32? {
            let path = try TinyModel(change: change).write()
            defer { try? FileManager.default.removeItem(atPath: path) }
            return try LlamaModel(path: path, vocabularyOnly: true).vocabulary.beginningOfText
        }
        #expect(try beginning { _ in } == 0)
        // llama.cpp takes token 11 for it.
        #expect(
            try beginning {
                $0.set("tokenizer.ggml.bos_token_id", nil)
                $0.set("tokenizer.ggml.add_bos_token", nil)
            } == nil)
        // Qwen's tokenizer has none, whatever the model's configuration says.
        #expect(
            try beginning {
                $0.set("tokenizer.ggml.pre", .string("qwen2"))
                $0.set("tokenizer.ggml.add_bos_token", .bool(false))
            } == nil)
        #expect(try beginning { $0.set("tokenizer.ggml.pre", .string("qwen2")) } == 0)
    }

    @Test func theEndIsWhatTheFileNames() throws {
        func vocabulary(_ change: @escaping @Sendable (inout GGUFBuilder) -> Void) throws -> Vocabulary {
            let path = try TinyModel(change: change).write()
            defer { try? FileManager.default.removeItem(atPath: path) }
            return try LlamaModel(path: path, vocabularyOnly: true).vocabulary
        }
        // llama.cpp takes token 11 for it.
        let missing = try vocabulary { $0.set("tokenizer.ggml.eos_token_id", nil) }
        #expect(missing.endOfText == nil)
        #expect(!missing.endsGeneration(11) && missing.endsGeneration(1))
        #expect(missing.detokenize([11]) == String(decoding: missing.piece(11), as: UTF8.self))
        // Whatever kind of token it is.
        let word = try vocabulary {
            $0.set("tokenizer.ggml.eos_token_id", .uint32(300))
            $0.set("tokenizer.ggml.token_type", nil)
        }
        #expect(word.endsGeneration(300))
        #expect(try word.tokenize("a\(word.name(300))", addSpecial: false, readSpecial: true).last == 300)
        #expect(word.detokenize([300]).isEmpty)
    }

    @Test func specialTokensAreReadWhereTheyAreWritten() throws {
        let vocabulary = try LlamaModel(path: tinyModelPath, vocabularyOnly: true).vocabulary
        func read(_ text: String) throws -> [Int32] {
            try vocabulary.tokenize(text, addSpecial: false, readSpecial: true)
        }
        let (a, b) = (try read("a"), try read("b"))
        #expect(try read("a<|im_end|>b") == a + [1] + b)
        #expect(try read("<|im_end|><|endoftext|>") == [1, 0])
        #expect(try read("<|im_end|") == vocabulary.tokenize("<|im_end|", addSpecial: false))
        #expect(try read("<<|im_end|>") == vocabulary.tokenize("<", addSpecial: false) + [1])
        #expect(vocabulary.token(named: "<|im_end|>") == 1)
        #expect(vocabulary.token(named: "<|im_end|>x") == nil)
        #expect(vocabulary.detokenize(a + [1] + b) == "ab")
    }
}
