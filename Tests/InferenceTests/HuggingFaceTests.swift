import Evaluation
import Foundation
import LMEval
import Llama
import Testing

@testable import Inference

/// Log-likelihoods of 32-bit weights are those of transformers; Fixtures/huggingface/likelihoods.py wrote what it gave.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HuggingFaceTests {
    private struct Expected: Decodable {
        struct Pair: Decodable {
            var name: String
            var context: String
            var continuation: String
            var context_tokens: [Int32]
            var tokens: [Int32]
            var token_log_probs: [Double]
            var sum: Double
            var is_greedy: Bool
            var margin: Double
        }
        struct Text: Decodable {
            struct Window: Decodable {
                var context_tokens: [Int32]
                var tokens: [Int32]
                var token_log_probs: [Double]
            }
            var name: String
            var text: String
            var max_length: Int
            var sum: Double
            var windows: [Window]
        }
        var pairs: [Pair]
        var texts: [Text]
    }

    private static let expected = Result {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/huggingface/likelihoods.json")
        return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
    }

    private func engine(_ maxLength: Int = 2048) async throws -> LlamaEngine {
        try await LlamaEngine.load(
            modelPath: try dequantisedModelPath(), settings: EngineSettings(maxLength: maxLength, device: .cpu))
    }

    /// In nat per token: what the order of additions may change, of one token and on average.
    private static let tolerance = 1e-3
    private static let meanTolerance = 2e-5

    @Test func continuationsAreAsLikely() async throws {
        let pairs = try Self.expected.get().pairs
        #expect(pairs.count >= 70)
        let engine = try await self.engine()
        let requests = try pairs.map { pair in
            let windows = try Request.loglikelihood(context: pair.context, continuation: pair.continuation)
                .tokenized(by: engine.tokenizer, maxLength: engine.maxLength)
            guard windows.count == 1, case .score(let request) = windows[0] else { throw Mismatch() }
            #expect(Array(request.tokens[..<request.scoredFrom]) == pair.context_tokens, "\(pair.name)")
            #expect(Array(request.tokens[request.scoredFrom...]) == pair.tokens, "\(pair.name)")
            return windows[0]
        }
        let answers = try await engine.run(requests).compactMap(\.score)
        try #require(answers.count == pairs.count)
        var differences: [Double] = []
        for (pair, answer) in zip(pairs, answers) {
            differences += try self.compare(answer.tokenLogProbs, pair.token_log_probs, pair.name)
            let perToken = abs(answer.logProb - pair.sum) / Double(pair.tokens.count)
            #expect(perToken < Self.tolerance, "\(pair.name)")
            if abs(pair.margin) > 0.01 { #expect(answer.isGreedy == pair.is_greedy, "\(pair.name)") }
        }
        #expect(differences.reduce(0, +) / Double(differences.count) < Self.meanTolerance)
    }

    @Test func windowsOfTextsAreAsLikely() async throws {
        for text in try Self.expected.get().texts {
            let engine = try await self.engine(min(text.max_length, 2048))
            let requests = try Request.rolling(text: text.text)
                .tokenized(by: engine.tokenizer, maxLength: engine.maxLength)
            try #require(requests.count == text.windows.count, "\(text.name)")
            let answers = try await engine.run(requests).compactMap(\.score)
            var sum = 0.0
            var count = 0
            for (answer, window) in zip(answers, text.windows) {
                _ = try self.compare(answer.tokenLogProbs, window.token_log_probs, text.name)
                sum += answer.logProb
                count += window.tokens.count
            }
            #expect(abs(sum - text.sum) / Double(count) < Self.tolerance, "\(text.name)")
        }
    }

    /// The differences, each within the tolerance.
    private func compare(_ found: [Float], _ expected: [Double], _ name: String) throws -> [Double] {
        try #require(found.count == expected.count, "\(name)")
        let differences = zip(found, expected).map { abs(Double($0) - $1) }
        for (position, difference) in differences.enumerated() {
            #expect(difference < Self.tolerance, "\(name), token \(position)")
        }
        return differences
    }

    private struct Mismatch: Error {}
}
