internal import ArgumentParser
internal import Console
internal import Evaluation
internal import Inference
internal import Synchronization

struct BenchInvarianceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invariance",
        abstract: "Measure what `invariance: strict` costs: a task's first rows on a model, beside `plan`.",
        discussion: """
            All rows are computed as one shard, in turns with plan and with strict; prints the medians and their ratio.
            Example:  assay bench invariance model.gguf jobs/tasks/hellaswag.yaml --num-fewshot 5 --limit 40
            """)

    @Argument(help: "A GGUF file.")
    var model: String

    @Argument(help: "The task file.")
    var file: String

    @Option(name: .customLong("num-fewshot"), help: "As many few-shot examples instead of what the file says.")
    var numFewShot: Int?

    @Option(help: "So many rows at most.")
    var limit = 100

    @Option(help: "How often each is measured.")
    var rounds = 5

    @Option(help: "Tokens that one decode takes.")
    var batchTokens = EngineDefaults.batchTokens

    @Option(help: "Threads on the CPU; one per processor if not given.")
    var threads: Int?

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var task: String
        var fewShot: Int
        var model: String
        var rows: Int
        /// Tokens that are computed, without those that fill up blocks.
        var planTokens: Int
        var strictTokens: Int
        /// Medians.
        var planSeconds: Double
        var strictSeconds: Double
        /// Of times.
        var ratio: Double
    }

    func validate() throws {
        guard (1...1_000_000).contains(self.limit), (1...1000).contains(self.rounds),
            (32...1_000_000).contains(self.batchTokens)
        else {
            throw ValidationError("--limit and --rounds are at least 1, --batch-tokens at least 32")
        }
    }

    func run() async throws {
        let (task, data) = try await TaskFile.load(self.file, fewShot: self.numFewShot, self.options)
        let rows = min(self.limit, data.evaluated.rowCount)
        var settings = EngineSettings(batchTokens: self.batchTokens, threads: self.threads)
        let plan = try await LlamaEngine.load(modelPath: self.model, modelSHA256: "", settings: settings)
        settings.invariance = .strict
        let strict = try await LlamaEngine.load(modelPath: self.model, modelSHA256: "", settings: settings)
        guard strict.identity.settings["invariance"] == Invariance.strict.rawValue else {
            throw CommandFailure(
                "strict is for CPUs, and this is \(strict.identity.deviceKind)",
                hint: "hide the GPU, for example with CUDA_VISIBLE_DEVICES=")
        }
        var requests: [EngineRequest] = []
        for row in 0..<rows {
            for request in try task.prepare(try data.evaluated.document(at: row)).requests {
                requests += try request.tokenized(by: plan.tokenizer, maxLength: plan.maxLength)
            }
        }
        var (planTimes, strictTimes) = (LatencySample(), LatencySample())
        // The first passes make the contexts.
        let planTokens = try await self.time(plan, requests).tokens
        let strictTokens = try await self.time(strict, requests).tokens
        for _ in 1...self.rounds {
            planTimes.add(try await self.time(plan, requests).duration)
            strictTimes.add(try await self.time(strict, requests).duration)
        }
        let (planSeconds, strictSeconds) = (planTimes.quantile(0.5) ?? 0, strictTimes.quantile(0.5) ?? 0)
        let answer = Answer(
            task: task.configuration.name, fewShot: task.configuration.fewShot.count, model: plan.identity.modelName,
            rows: rows, planTokens: planTokens, strictTokens: strictTokens, planSeconds: planSeconds,
            strictSeconds: strictSeconds, ratio: strictSeconds / planSeconds)
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "\(answer.task), \(answer.fewShot)-shot, \(rows) rows on \(answer.model): plan \(Format.fixed(planSeconds, 2)) s "
                + "(\(planTokens) tokens), strict \(Format.fixed(strictSeconds, 2)) s (\(strictTokens) tokens): "
                + "\(Format.fixed(answer.ratio, 3)) times the time")
    }

    private func time(
        _ engine: LlamaEngine, _ requests: [EngineRequest]
    ) async throws -> (duration: Duration, tokens: Int) {
        let clock = ContinuousClock()
        let tokens = Mutex(0)
        let start = clock.now
        _ = try await engine.run(requests) { progress in tokens.withLock { $0 = progress.computedTokens } }
        return (clock.now - start, tokens.withLock { $0 })
    }
}
