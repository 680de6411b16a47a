internal import ArgumentParser
internal import Console
internal import Evaluation
internal import Inference

struct BenchGenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Measure how fast texts are generated, greedy and drawn.",
        discussion: """
            Generates made-up texts with a model's file, in turns by taking the most likely token and by drawing one, and
            prints the medians and their ratio.
            Example:  assay bench generate model.gguf --texts 64 --temperature 1
            """)

    @Argument(help: "A GGUF file.")
    var model: String

    @Option(help: "Texts that are generated at once.")
    var texts = 64

    @Option(help: "New tokens of each.")
    var tokens = 48

    @Option(help: "Tokens of each prompt.")
    var prompt = 16

    @Option(help: "What log-probabilities are divided by.")
    var temperature = 1.0

    @Option(name: .customLong("top-k"), help: "Only so many of the most likely tokens.")
    var topK: Int?

    @Option(name: .customLong("top-p"), help: "Only the most likely tokens that have so much probability together.")
    var topP = 1.0

    @Option(help: "How often each way is measured.")
    var rounds = 5

    @Option(help: "Threads on the CPU; one per processor if not given.")
    var threads: Int?

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var model: String
        var texts: Int
        var tokens: Int
        /// Medians.
        var greedyTokensPerSecond: Double
        var drawnTokensPerSecond: Double
        var ratio: Double
    }

    func validate() throws {
        guard (1...255).contains(self.texts), (2...100_000).contains(self.tokens), (1...100_000).contains(self.prompt),
            (1...1000).contains(self.rounds), self.temperature > 0, self.temperature <= 100, self.topP > 0,
            self.topP <= 1, self.topK ?? 1 > 0
        else {
            throw ValidationError(
                "--texts is from 1 to 255, --tokens from 2, --temperature above 0, --top-p above 0 and at most 1")
        }
    }

    func run() async throws {
        let engine = try await LlamaEngine.load(
            modelPath: self.model, modelSHA256: "",
            settings: EngineSettings(
                maxLength: self.prompt + self.tokens, generationSlots: self.texts, threads: self.threads))
        var (greedy, drawn) = (LatencySample(), LatencySample())
        // The first pass makes the context.
        _ = try await self.time(engine, nil, round: 0)
        for round in 1...self.rounds {
            greedy.add(try await self.time(engine, nil, round: round))
            let rule = Sampling(temperature: self.temperature, topK: self.topK, topP: self.topP)
            drawn.add(try await self.time(engine, rule, round: round))
        }
        let count = Double(self.texts * self.tokens)
        let (greedyRate, drawnRate) = (count / (greedy.quantile(0.5) ?? 1), count / (drawn.quantile(0.5) ?? 1))
        let answer = Answer(
            model: engine.identity.modelName, texts: self.texts, tokens: self.tokens, greedyTokensPerSecond: greedyRate,
            drawnTokensPerSecond: drawnRate, ratio: drawnRate / greedyRate)
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "\(answer.model), \(self.texts) texts of \(self.tokens) tokens: greedy \(Format.fixed(greedyRate, 1)) tokens/s, "
                + "drawn \(Format.fixed(drawnRate, 1)) (\(Format.fixed(answer.ratio, 3)) of it)")
    }

    /// The time for all texts; prompts are other ones in each round, and texts never end early.
    private func time(_ engine: LlamaEngine, _ rule: Sampling?, round: Int) async throws -> Duration {
        let requests = (0..<self.texts).map { text in
            // Words of any vocabulary: its first ids are bytes and marks.
            let prompt = (0..<self.prompt).map { Int32(300 + (round * 31 + text * 17 + $0 * 7) % 1000) }
            return EngineRequest.generate(
                GenerationRequest(
                    prompt: prompt, stop: [], maxTokens: self.tokens,
                    sampling: rule.map { SampledText($0, task: 0, row: text, repeat: round) }, endTokens: []))
        }
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await engine.run(requests)
        return clock.now - start
    }
}
