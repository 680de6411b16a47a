import Evaluation
import LMEval
import Llama
import Testing

@testable import Inference

/// A real model with 4-bit weights.
///
/// Its activations are rounded to 8 bits, so that the order of additions shows.
@Suite(.serialized) struct SmolLM2Tests {
    private func engine() async throws -> LlamaEngine {
        try await LlamaEngine.load(
            modelPath: try realModelPath(),
            settings: EngineSettings(maxLength: 512, batchTokens: 256, maxSequences: 32, threads: 1, device: .cpu))
    }

    private func choices(_ engine: LlamaEngine, _ context: String, _ endings: [String]) throws -> [EngineRequest] {
        try endings.map { ending in
            let context = try engine.tokenizer.encode(context, addSpecial: true)
            return .score(
                .init(
                    tokens: try context + engine.tokenizer.encode(" " + ending, addSpecial: false),
                    scoredFrom: context.count))
        }
    }

    @Test func scoresAreRepeatableAndSensible() async throws {
        let engine = try await self.engine()
        let requests =
            try self.choices(engine, "The capital of France is", ["Paris", "a banana", "London"])
            + self.choices(engine, "Two plus two equals", ["four", "purple"])
            + self.choices(engine, "The sun rises in the", ["east", "telephone"])
        let first = try await engine.run(requests)
        #expect(try await engine.run(requests) == first)
        let logProbs = first.compactMap { $0.score?.logProb }
        #expect(logProbs[0] > logProbs[1] && logProbs[0] > logProbs[2])
        #expect(logProbs[3] > logProbs[4])
        #expect(logProbs[5] > logProbs[6])
        var alone: [EngineResponse] = []
        for request in requests { alone += try await engine.run([request]) }
        // Measured on 100 HellaSwag samples: 0.05 nat on average, 0.8 at most, like any other change of the order.
        #expect(largestDifference(first, alone) < 1.5)
    }

    /// As lm-eval with transformers: marks of a conversation that a task file writes itself are those marks.
    @Test func marksWrittenByHandAreTokens() async throws {
        let tokenizer = try LlamaTokenizer(modelPath: try realModelPath())
        let prompt = Request.generate(
            prompt:
                "<|im_start|>user\nWhat is the capital of France? Answer with one word.<|im_end|>\n<|im_start|>assistant\n",
            stop: ["<|im_end|>"], maxTokens: 16)
        func count(_ rules: TokenRules) throws -> Int? {
            guard
                case .generate(let request)? = try prompt.tokenized(by: tokenizer, maxLength: 2048, rules: rules).first
            else { return nil }
            return request.prompt.count
        }
        #expect(try count(TokenRules()) == 21)
        #expect(try count(TokenRules(specialTokens: .text)) == 38)
    }

    @Test func generatesText() async throws {
        let engine = try await self.engine()
        let prompt = """
            <|im_start|>user
            What is the capital of France?<|im_end|>
            <|im_start|>assistant

            """
        let requests = [
            GenerationRequest(
                prompt: try engine.tokenizer.encode(prompt, addSpecial: true), stop: ["<|im_end|>", "\n"], maxTokens: 24
            ),
            GenerationRequest(
                prompt: try engine.tokenizer.encode(
                    "Question: What is the capital of France?\nAnswer:", addSpecial: true),
                stop: ["\n"], maxTokens: 16),
            GenerationRequest(
                prompt: try engine.tokenizer.encode("The capital of France is", addSpecial: true), stop: ["\n"],
                maxTokens: 8),
        ]
        let first = try await engine.run(requests.map { .generate($0) })
        #expect(try await engine.run(requests.map { .generate($0) }) == first)
        for generation in first.compactMap(\.generation) {
            #expect(!generation.text.contains("\n"))
            #expect(generation.tokens.count == generation.tokenLogProbs.count)
        }
        // Certain enough to be the same however a processor rounds; answers to chat prompts are not.
        #expect(first[2].generation?.text.contains("Paris") == true, "\(first)")
    }

    /// Greedy or drawn, one text or many: what comes is what the constraint allows.
    @Test func constrainedTextsFollowTheirGrammar() async throws {
        let engine = try await self.engine()
        let prompt = try engine.tokenizer.encode("Question: How many legs does a cat have?\nAnswer:", addSpecial: true)
        let schema = TextConstraint.jsonSchema(
            #"{"type":"object","properties":{"legs":{"type":"integer","minimum":0,"maximum":99}},"required":["legs"],"#
                + #""additionalProperties":false}"#)
        let words = TextConstraint.grammar(#"root ::= " four" | " many" | " none""#)
        let drawn = SampledText(Sampling(temperature: 2), task: 0, row: 0, repeat: 0)
        let requests: [GenerationRequest] = [
            .init(prompt: prompt, stop: [], maxTokens: 32, constraint: schema),
            .init(prompt: prompt, stop: [], maxTokens: 32, sampling: drawn, constraint: schema),
            .init(prompt: prompt, stop: [], maxTokens: 32, constraint: words),
            .init(prompt: prompt, stop: [], maxTokens: 32, sampling: drawn, constraint: words),
            .init(prompt: prompt, stop: ["\n"], maxTokens: 4),
        ]
        let texts = try await engine.run(requests.map { .generate($0) }).compactMap(\.generation)
        #expect(texts.count == 5)
        for text in texts.prefix(2) {
            #expect(text.text.wholeMatch(of: /\{\s*"legs"\s*:\s*\d{1,2}\s*\}\s*/) != nil, "\(text.text)")
        }
        for text in texts[2...3] { #expect([" four", " many", " none"].contains(text.text)) }
        #expect(texts.prefix(4).allSatisfy { $0.finishReason == .endOfText })
        // Log-probabilities are the model's own: those that scoring gives.
        let alone = try await engine.run([.generate(requests[4])]).compactMap(\.generation)
        #expect(alone[0].tokens == texts[4].tokens)
    }

    @Test func grammarsThatCanNotBeParsedAreRefused() async throws {
        let engine = try await self.engine()
        let request = GenerationRequest(prompt: [1], stop: [], maxTokens: 4, constraint: .grammar("root ::= other"))
        let error = await #expect(throws: EngineError.self) {
            try await engine.run([.score(.init(tokens: [1, 2], scoredFrom: 1)), .generate(request)])
        }
        #expect(error?.code == .invalidRequest && error?.requestIndex == 1)
    }
}
