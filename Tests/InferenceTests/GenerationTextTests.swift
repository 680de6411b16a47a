import Evaluation
import Llama
import ScoreMetrics
import Testing

@testable import Inference

/// What a generation's tokens are as a text, and what ends it; as lm-eval has it of transformers.
@Suite struct GenerationTextTests {
    private static func vocabulary(_ name: String) throws -> Vocabulary {
        try LlamaModel(path: try vocabularyPath(name), vocabularyOnly: true).vocabulary
    }

    /// Feeds tokens until the text ends.
    private static func run(
        _ tokens: [Int32], _ vocabulary: Vocabulary, stop: [String] = [], endTokens: [Int32]? = nil,
        thinkingEnd: ThinkingEnd? = nil
    ) -> Generation? {
        let request = GenerationRequest(
            prompt: [1], stop: stop, maxTokens: tokens.count, endTokens: endTokens, thinkingEnd: thinkingEnd)
        var state = GenerationState(request, vocabulary)
        for token in tokens {
            if let generation = state.append(token, logProb: 0, isEnd: state.ends(with: token)) { return generation }
        }
        return nil
    }

    @Test func theFirstWordHasNoSpaceWhereTheTokenizerPutsOne() throws {
        let llama = try Self.vocabulary("llama-spm")
        let tokens = try llama.tokenize("Paris", addSpecial: false)
        #expect(llama.name(tokens[0]).hasPrefix("▁"))
        #expect(Self.run(tokens, llama)?.text == "Paris")
        // One space, no more; and none later on.
        let spaced = try llama.tokenize("  Paris is", addSpecial: false)
        #expect(Self.run(spaced, llama)?.text == "  Paris is")
        let gpt = try Self.vocabulary("gpt-2")
        #expect(Self.run(try gpt.tokenize(" Paris", addSpecial: false), gpt)?.text == " Paris")
    }

    @Test func stopStringsMayBeSpecialTokensThatNoTextShows() throws {
        let starcoder = try Self.vocabulary("starcoder")
        let file = try #require(starcoder.token(named: "<file_sep>"))
        let tokens = try starcoder.tokenize("x = 1\n", addSpecial: false)
        let stopped = try #require(Self.run(tokens + [file] + tokens, starcoder, stop: ["<file_sep>"]))
        #expect(stopped.finishReason == .stop)
        #expect(stopped.text == "x = 1\n")
        #expect(stopped.tokens == tokens + [file])
        // A stop string across the token is found while it is generated, and not in the text afterwards.
        let across = try #require(Self.run(tokens + [file] + tokens, starcoder, stop: ["1\n<file_sep>x"]))
        #expect(across.finishReason == .stop)
        #expect(across.text.hasPrefix("x = 1\nx"))
    }

    @Test func separatorsOfFilesEndNothingByThemselves() throws {
        let starcoder = try Self.vocabulary("starcoder")
        for name in ["<fim_pad>", "<file_sep>", "<repo_name>", "<fim_prefix>"] {
            #expect(!starcoder.endsGeneration(try #require(starcoder.token(named: name))), "\(name)")
        }
        let end = try #require(starcoder.token(named: "<|endoftext|>"))
        #expect(starcoder.endsGeneration(end))
        let file = try #require(starcoder.token(named: "<file_sep>"))
        let tokens = try starcoder.tokenize("a", addSpecial: false)
        #expect(Self.run(tokens + [file] + tokens + [end], starcoder)?.text == "aa")
        // A job may say it otherwise.
        #expect(Self.run(tokens + [file] + tokens, starcoder, endTokens: [file])?.finishReason == .endOfText)
        #expect(Self.run(tokens + [end] + tokens, starcoder, endTokens: [file])?.finishReason == .stop)
    }

    /// llama.cpp takes "</s>" for an end wherever it is a token; in Qwen's vocabulary it is a word.
    @Test func wordsThatLookLikeMarksAreWords() throws {
        let qwen = try Self.vocabulary("qwen2")
        let word = try #require(qwen.token(named: "</s>"))
        #expect(!qwen.endsGeneration(word))
        #expect(qwen.detokenize([word]) == "</s>")
        let tokens = try qwen.tokenize("<s>old</s> new", addSpecial: false, readSpecial: true)
        #expect(try tokens == qwen.tokenize("<s>old</s> new", addSpecial: false))
        #expect(Self.run([word, word], qwen)?.text == "</s></s>")
        let phi = try Self.vocabulary("phi-3")
        #expect(phi.detokenize(try phi.tokenize("a</s>b", addSpecial: false, readSpecial: true)) == "a</s> b")
    }

    @Test func textsAreComposedAsTheFamilyOrTheJobSaysIt() throws {
        let (open, composed) = ("cafe\u{301}", "caf\u{E9}")
        func ids(_ text: String, _ name: String, _ normalization: TokenRules.Normalization?) throws -> [Int32] {
            try LlamaTokenizer(try Self.vocabulary(name)).following(TokenRules(normalization: normalization))
                .encode(text, addSpecial: false)
        }
        #expect(try ids(open, "qwen2", nil) == ids(composed, "qwen2", nil))
        #expect(try ids(open, "qwen2", TokenRules.Normalization.none) != ids(composed, "qwen2", nil))
        #expect(try ids(open, "gpt-2", nil) != ids(composed, "gpt-2", nil))
        #expect(try ids(open, "gpt-2", .nfc) == ids(composed, "gpt-2", nil))
    }

    @Test func answersStandBehindTheLastThought() throws {
        let qwen = try Self.vocabulary("qwen2")
        let tokens = try qwen.tokenize("<think>\nHm.\n\nOh</think> no</think>\n\n Paris\n\nParis", addSpecial: false)
        let thinking = ThinkingEnd.text("</think>")
        #expect(Self.run(tokens, qwen, thinkingEnd: thinking)?.text == "Paris\n\nParis")
        // A stop string ends thoughts, too, as in lm-eval.
        #expect(Self.run(tokens, qwen, stop: ["\n\n"], thinkingEnd: thinking)?.text == "<think>\nHm.")
        #expect(
            Self.run(try qwen.tokenize(" no end", addSpecial: false), qwen, thinkingEnd: thinking)?.text == "no end")
        let mark = try #require(qwen.token(named: "<|im_start|>"))
        let parts = try ["thought", " more", " \n Paris"].map { try qwen.tokenize($0, addSpecial: false) }
        let marked = parts[0] + [mark] + parts[1] + [mark] + parts[2]
        #expect(Self.run(marked, qwen, thinkingEnd: .token(mark))?.text == "Paris")
    }
}
