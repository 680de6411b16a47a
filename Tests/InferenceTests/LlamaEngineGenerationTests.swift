import Evaluation
import Testing

@testable import Inference

@Suite struct LlamaEngineGenerationTests {
    private func requests(count: Int, maxTokens: Int, stop: [String] = []) -> [GenerationRequest] {
        var generator = SeededGenerator(seed: 11)
        let shots = (0..<60).map { _ in Int32.random(in: 2..<318, using: &generator) }
        return (0..<count).map { number in
            let question = (0..<Int.random(in: 1...30, using: &generator)).map { _ in
                Int32.random(in: 2..<318, using: &generator)
            }
            // Half of them begin with the same examples.
            return GenerationRequest(
                prompt: [0] + (number % 2 == 0 ? shots : []) + question, stop: stop, maxTokens: maxTokens)
        }
    }

    /// Greedy generation by scoring: the next token is the one whose continuation is greedy.
    private func naive(_ request: GenerationRequest, _ engine: LlamaEngine) async throws -> [Int32] {
        var tokens = request.prompt
        var generated: [Int32] = []
        while generated.count < request.maxTokens {
            let all = (0..<Int32(318)).map {
                EngineRequest.score(.init(tokens: tokens + [$0], scoredFrom: tokens.count))
            }
            let answers = try await engine.run(all).compactMap(\.score)
            let next = Int32(try #require(answers.firstIndex { $0.isGreedy }))
            if next <= 1 { break }
            generated.append(next)
            tokens.append(next)
        }
        return generated
    }

    @Test func generatesTheGreedyPath() async throws {
        let engine = try await tinyEngine()
        let requests = self.requests(count: 9, maxTokens: 12)
        let together = try await engine.run(requests.map { .generate($0) }).compactMap(\.generation)
        #expect(together.count == requests.count)
        for (request, generation) in zip(requests, together) {
            #expect(generation.tokens == (try await self.naive(request, engine)))
            #expect(generation.tokenLogProbs.count == generation.tokens.count)
            #expect(generation.finishReason == (generation.tokens.count == 12 ? .length : .endOfText))
        }
    }

    @Test func logProbsAgreeWithScoring() async throws {
        let engine = try await tinyEngine()
        let request = self.requests(count: 1, maxTokens: 16)[0]
        let generation = try #require(try await engine.run([.generate(request)])[0].generation)
        try #require(!generation.tokens.isEmpty)
        let scored = try await engine.run([
            .score(.init(tokens: request.prompt + generation.tokens, scoredFrom: request.prompt.count))
        ])
        let score = try #require(scored[0].score)
        #expect(score.isGreedy)
        #expect(zip(score.tokenLogProbs, generation.tokenLogProbs).allSatisfy { abs($0 - $1) < 0.01 })
    }

    @Test func repetitionsAreEqual() async throws {
        let engine = try await tinyEngine()
        let requests = self.requests(count: 7, maxTokens: 8).map { EngineRequest.generate($0) }
        let first = try await engine.run(requests)
        #expect(try await engine.run(requests) == first)
        #expect(try await tinyEngine(threads: 2).run(requests) == first)
    }

    @Test(arguments: [1, 2, 3, 13])
    func theNumberOfSlotsChangesNoToken(_ slots: Int) async throws {
        let requests = self.requests(count: 7, maxTokens: 10).map { EngineRequest.generate($0) }
        let reference = try await tinyEngine().run(requests).compactMap(\.generation?.tokens)
        let other = try await tinyEngine(generationSlots: slots).run(requests).compactMap(\.generation?.tokens)
        #expect(reference == other)
    }

    /// A drawn text is a function of its request: neither its neighbours nor the slots change it.
    @Test func drawnTextsDependOnTheirStreamsAlone() async throws {
        func sampled(_ row: Int, _ number: Int, seed: UInt64 = 5) -> GenerationRequest {
            var request = self.requests(count: 1, maxTokens: 12)[0]
            request.sampling = SampledText(
                Sampling(temperature: 1.5, topP: 0.95, seed: seed), task: 0, row: row, repeat: number)
            return request
        }
        let all = (0..<3).flatMap { row in (0..<3).map { sampled(row, $0) } }
        let engine = try await tinyEngine()
        let together = try await engine.run(all.map { .generate($0) }).compactMap(\.generation?.tokens)
        #expect(Set(together).count == all.count)
        let alone = try await tinyEngine(generationSlots: 1).run([.generate(sampled(1, 2))])
        #expect(alone[0].generation?.tokens == together[5])
        let again = try await tinyEngine(generationSlots: 4).run(all.reversed().map { .generate($0) })
        #expect(again.compactMap(\.generation?.tokens) == together.reversed())
        let other = try await engine.run([.generate(sampled(1, 2, seed: 6))])
        #expect(other[0].generation?.tokens != together[5])
        var wrong = sampled(0, 0)
        wrong.sampling?.rule.temperature = 0
        let refused = wrong
        await #expect(throws: EngineError.self) { try await engine.run([.generate(refused)]) }
    }

    @Test func stopStringsEndTheText() async throws {
        let engine = try await tinyEngine()
        let plain = self.requests(count: 1, maxTokens: 24)[0]
        let whole = try #require(try await engine.run([.generate(plain)])[0].generation)
        // Some text in the middle serves as the stop string.
        let middle = String(whole.text.unicodeScalars.dropFirst(6).prefix(2))
        try #require(!middle.isEmpty && !middle.contains("\u{FFFD}"))
        var stopping = plain
        stopping.stop = ["never there", middle]
        let cut = try #require(try await engine.run([.generate(stopping)])[0].generation)
        #expect(cut.finishReason == .stop)
        #expect(whole.text.hasPrefix(cut.text))
        #expect(!cut.text.contains(middle))
        #expect(cut.tokens == Array(whole.tokens.prefix(cut.tokens.count)))
    }

    @Test func equalPromptsAreComputedOnce() async throws {
        let engine = try await tinyEngine()
        let request = self.requests(count: 1, maxTokens: 5)[0]
        let steps = Recorder()
        let answers = try await engine.run(Array(repeating: .generate(request), count: 6)) { steps.append($0) }
        #expect(Set(answers).count == 1)
        let last = try #require(steps.values.last)
        #expect(last.requestsDone == 6)
        #expect(last.computedTokens < request.prompt.count + 5)
    }

    @Test func scoringAndGenerationMayStandInOneShard() async throws {
        let engine = try await tinyEngine()
        let answers = try await engine.run([
            .generate(.init(prompt: [0, 9], stop: [], maxTokens: 3)), .score(.init(tokens: [0, 9, 8], scoredFrom: 1)),
            .generate(.init(prompt: [0, 7], stop: [], maxTokens: 3)),
        ])
        #expect(answers[0].generation != nil)
        #expect(answers[1].score?.tokenLogProbs.count == 2)
        #expect(answers[2].generation != nil)
    }
}
