import Evaluation
import Testing

@testable import Inference

/// Scores of a model with 32-bit weights, where batching changes only the order of additions.
@Suite struct LlamaEngineScoringTests {
    private func requests(_ seed: UInt64) -> [EngineRequest] {
        randomRequests(seed: seed, vocabulary: 318, longest: 150).map { .score($0) }
    }

    @Test(arguments: [1, 2, 3])
    func batchesAnswerLikeSingleRequests(_ seed: UInt64) async throws {
        let engine = try await tinyEngine()
        let requests = self.requests(seed)
        let together = try await engine.run(requests)
        var alone: [EngineResponse] = []
        for request in requests { alone += try await engine.run([request]) }
        // Measured on 120 HellaSwag requests: 1.5e-5 on average, 0.002 at most. Keys, values and attention have 16 bits.
        #expect(largestDifference(together, alone) < 0.01)
        for (request, response) in zip(requests, together) {
            guard case .score(let request) = request else { continue }
            #expect(response.score?.tokenLogProbs.count == request.tokens.count - request.scoredFrom)
            #expect(response.score?.tokenLogProbs.allSatisfy { $0 < 0 } == true)
        }
    }

    @Test func answersDoNotDependOnWhatWasBefore() async throws {
        let engine = try await tinyEngine()
        let requests = self.requests(4)
        let first = try await engine.run(requests)
        #expect(try await engine.run(requests) == first)
        _ = try await engine.run(self.requests(5))
        _ = try await engine.run([.generate(GenerationRequest(prompt: [0, 5, 6], stop: [], maxTokens: 8))])
        #expect(try await engine.run(requests) == first)
        #expect(try await tinyEngine().run(requests) == first)
        #expect(try await tinyEngine(threads: 2).run(requests) == first)
    }

    @Test func settingsChangeNothingThatMatters() async throws {
        let requests = self.requests(6)
        let reference = try await tinyEngine().run(requests)
        for (tokens, sequences) in [(32, 2), (512, 128), (1024, 256)] {
            let other = try await tinyEngine(batchTokens: tokens, maxSequences: sequences).run(requests)
            #expect(largestDifference(reference, other) < 0.01)
        }
    }

    @Test func allContinuationsOfOneTokenSumToOne() async throws {
        let engine = try await tinyEngine()
        let requests = (0..<Int32(318)).map { EngineRequest.score(.init(tokens: [0, 40, 41, $0], scoredFrom: 3)) }
        let answers = try await engine.run(requests).compactMap(\.score)
        let probabilities = answers.map { answer -> Double in
            // exp(x) = exp(x / 2^10)^(2^10)
            var value = 1 + answer.logProb / 1024 + answer.logProb * answer.logProb / 2_097_152
            for _ in 0..<10 { value *= value }
            return value
        }
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-3)
        #expect(answers.count { $0.isGreedy } == 1)
        let best = try #require(answers.map(\.logProb).max())
        #expect(answers.first { $0.isGreedy }?.logProb == best)
    }

    @Test func rollingWindowsScoreEveryToken() async throws {
        let engine = try await tinyEngine()
        let text = (0..<300).map { Int32(2 + $0 * 7 % 300) }
        let windows = [
            EngineRequest.score(.init(tokens: [0] + text[..<200], scoredFrom: 1)),
            .score(.init(tokens: Array(text[100..<300]), scoredFrom: 100)),
        ]
        let answers = try await engine.run(windows).compactMap(\.score)
        #expect(answers.map(\.tokenLogProbs.count) == [200, 100])
        let plain = try await engine.run([.score(.init(tokens: [0] + text, scoredFrom: 1))]).compactMap(\.score)
        #expect(zip(answers[0].tokenLogProbs, plain[0].tokenLogProbs).allSatisfy { abs($0 - $1) < 0.01 })
    }

    @Test func progressCountsWhatIsSaved() async throws {
        let engine = try await tinyEngine()
        let requests = self.requests(8)
        let steps = Recorder()
        _ = try await engine.run(requests) { steps.append($0) }
        let last = try #require(steps.values.last)
        #expect(last.requestsDone == requests.count)
        let useful = requests.reduce(0) { sum, request in
            if case .score(let request) = request { sum + request.tokens.count - 1 } else { sum }
        }
        #expect(last.computedTokens + last.savedTokens == useful)
        #expect(last.computedTokens > 0)
        #expect(last.generatedTokens == 0)
        #expect(steps.values.map(\.requestsDone) == steps.values.map(\.requestsDone).sorted())
    }
}
