import Evaluation
import Foundation
import LMEval
import Llama
import ProcessTesting
import ScoreMetrics
import Testing

@testable import Inference

/// Tokens and texts are those of the `tokenizers` library, for the vocabularies that llama.cpp is tested with.
///
/// Fixtures/tokenizers/peer.py makes a tokenizer of each vocabulary, and the corpus; it also checks itself by llama.cpp's
/// expected ids. infra/test unpacks the vocabularies; none is in this repository.
@Suite(.serialized, .timeLimit(.minutes(20))) struct TokenizerMatrixTests {
    enum Family: String, CaseIterable, Sendable {
        /// SentencePiece with a space before the first word of each part; without; at the beginning of a text alone; with marks that
        /// take white space.
        case llama2 = "llama-spm"
        case llama2WithoutPrefix = "llama-spm --no-space-prefix"
        case llama2WithFirstPrefix = "llama-spm --first-space-prefix"
        case phi3 = "phi-3"
        /// Byte-level BPE with BOS, and merging left out for whole words.
        case llama3 = "llama-bpe"
        case commandR = "command-r"
        /// The same with BOS, and words found by one pattern after the other.
        case deepSeek = "deepseek-llm"
        case deepSeekCoder = "deepseek-coder"
        /// Byte-level BPE without BOS; most of them with NFC.
        case gpt2 = "gpt-2"
        case mpt, starcoder, refact, falcon, qwen2, qwen35
        /// BPE over characters, with bytes as tokens.
        case gemma4 = "gemma-4"
        /// The model of the other tests.
        case smolLM2 = "SmolLM2"

        func path() throws -> String {
            self == .smolLM2
                ? try realModelPath() : try vocabularyPath(String(self.rawValue.split(separator: " ")[0]))
        }
        var options: [String] { self.rawValue.split(separator: " ").dropFirst().map(String.init) }
        var rules: TokenRules { TokenRules(spacePrefix: self == .llama2WithFirstPrefix ? .first : nil) }
        /// Whether llama.cpp has expected ids for it.
        var isExpected: Bool { self != .smolLM2 && self.options.isEmpty }
    }

    private struct Answers: Decodable {
        struct Text: Decodable {
            var text: String
            var ids: [Int32]
            var prompt: [Int32]
        }
        struct Pair: Decodable {
            var context: String
            var continuation: String
            var head: [Int32]
            var scored: [Int32]
        }
        struct Answer: Decodable {
            var ids: [Int32]
            var text: String
            var with_special: String
        }
        var expected: Int
        var prefix: Int32
        var texts: [Text]
        var pairs: [Pair]
        var answers: [Answer]
    }

    /// What a family's texts and tokens are for the peer, and the vocabulary here.
    private static func answers(_ family: Family) async throws -> (Answers, Vocabulary) {
        let path = try family.path()
        let peer = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/tokenizers/peer.py")
            .path
        let data = Data(try await Python.run(peer, [path] + family.options))
        let own = try family == .llama2WithoutPrefix ? vocabularyWithoutSpacePrefix(path) : path
        defer { if own != path { try? FileManager.default.removeItem(atPath: own) } }
        return (
            try JSONDecoder().decode(Answers.self, from: data),
            try LlamaModel(path: own, vocabularyOnly: true).vocabulary
        )
    }

    @Test(arguments: Family.allCases)
    func textsTokensAndSpansAreThoseOfTheModelsOwnTokenizer(_ family: Family) async throws {
        let (answers, vocabulary) = try await Self.answers(family)
        let tokenizer = LlamaTokenizer(vocabulary)
        #expect(answers.expected >= (family.isExpected ? 40 : 0))
        #expect(answers.texts.count > 200 && answers.pairs.count > 400 && answers.answers.count > 700)
        #expect(tokenizer.prefixToken == answers.prefix)

        var wrong: [String] = []
        for text in answers.texts {
            let ids = try tokenizer.following(family.rules).encode(text.text, addSpecial: false)
            if ids != text.ids { wrong.append("\(text.text.debugDescription): \(ids), not \(text.ids)") }
            let generation = Request.generate(prompt: text.text, stop: [], maxTokens: 1)
            guard !text.prompt.isEmpty,
                case .generate(let request)? = try generation.tokenized(
                    by: tokenizer, maxLength: 1 << 20, rules: family.rules
                ).first
            else { continue }
            if request.prompt != text.prompt { wrong.append("prompt \(text.text.debugDescription)") }
        }
        for pair in answers.pairs where !pair.scored.isEmpty && !pair.head.isEmpty {
            let request = Request.loglikelihood(context: pair.context, continuation: pair.continuation)
            guard
                case .score(let score)? = try request.tokenized(
                    by: tokenizer, maxLength: 1 << 20, rules: family.rules
                ).first
            else {
                continue
            }
            if Array(score.tokens[..<score.scoredFrom]) != pair.head
                || Array(score.tokens[score.scoredFrom...]) != pair.scored
            {
                wrong.append("span \((pair.context + "|" + pair.continuation).debugDescription)")
            }
        }
        for answer in answers.answers {
            let text = vocabulary.detokenize(answer.ids)
            if Array(text.utf8) != Array(answer.text.utf8) {
                wrong.append("\(answer.ids) is \(text.debugDescription), not \(answer.text.debugDescription)")
            }
            // What stop strings are looked for in.
            let bytes = answer.ids.enumerated().flatMap { index, token in
                index == 0
                    ? vocabulary.firstPiece(token, showsSpecial: true) : vocabulary.piece(token, showsSpecial: true)
            }
            if String(validating: bytes, as: UTF8.self).map({ Array($0.utf8) != Array(answer.with_special.utf8) })
                == true
            {
                wrong.append("\(answer.ids) is not \(answer.with_special.debugDescription) with its special tokens")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count) differ, such as \(wrong.prefix(5).joined(separator: "\n"))")
    }
}
