internal import ArgumentParser
internal import AssayRuntime
internal import Benchmarks
internal import Console
internal import Datasets
internal import Evaluation
internal import FoundationEssentials
internal import Glibc
internal import Inference
internal import LMEval
internal import ResultStore
internal import Synchronization
internal import TerminalText

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this installation.",
        subcommands: [
            BenchPromptsCommand.self, BenchQueueCommand.self, BenchDayCommand.self, BenchScaleCommand.self,
            BenchStoreCommand.self, BenchGenerateCommand.self, BenchInvarianceCommand.self,
        ])
}

struct BenchPromptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "Measure how many prompts a second one core writes.",
        discussion: """
            Rows become documents, examples are put before them, and requests are made, as a worker does; no model is asked.
            The first pass over the rows, which renders the examples, is not counted.
            Example:  assay bench prompts jobs/tasks/hellaswag.yaml --num-fewshot 5
            """)

    @Argument(help: "The task file.")
    var file: String

    @Option(name: .customLong("num-fewshot"), help: "As many few-shot examples instead of what the file says.")
    var numFewShot: Int?

    @Option(help: "For how long.")
    var seconds = 3.0

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var task: String
        var fewShot: Int
        var rows: Int
        var prompts: Int
        var seconds: Double
        var promptsPerSecond: Double
        var meanPromptBytes: Int
    }

    func validate() throws {
        guard self.seconds > 0, self.seconds <= 3600, (0...1000).contains(self.numFewShot ?? 0) else {
            throw ValidationError("--seconds is above 0 and at most 3600, --num-fewshot at most 1000")
        }
    }

    func run() async throws {
        let (task, data) = try await TaskFile.load(self.file, fewShot: self.numFewShot, self.options)
        let rows = data.evaluated.rowCount
        var bytes = 0
        for row in 0..<rows { bytes += try task.prepare(try data.evaluated.document(at: row)).prompt.utf8.count }
        let clock = ContinuousClock()
        let start = clock.now
        var prompts = 0
        repeat {
            for row in 0..<rows { _ = try task.prepare(try data.evaluated.document(at: row)) }
            prompts += rows
        } while clock.now - start < .seconds(self.seconds)
        let taken = (clock.now - start) / .seconds(1)
        let answer = Answer(
            task: task.configuration.name, fewShot: task.configuration.fewShot.count, rows: rows, prompts: prompts,
            seconds: taken, promptsPerSecond: Double(prompts) / taken, meanPromptBytes: bytes / max(rows, 1))
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "\(answer.task), \(answer.fewShot)-shot: \(Int(answer.promptsPerSecond)) prompts/s "
                + "(\(prompts) in \(Format.fixed(taken, 1)) s, \(rows) rows, \(answer.meanPromptBytes) bytes each)")
    }
}

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

    @Option(name: .customLong("top-k"), help: "Draw from only this many of the most likely tokens.")
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

struct BenchInvarianceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invariance",
        abstract: "Measure what `invariance: strict` costs: a task's first rows on a model, beside `plan`.",
        discussion: """
            Shard after shard is computed with plan and with strict, in turns; prints the medians of all rounds and their ratio.
            Example:  assay bench invariance model.gguf jobs/tasks/hellaswag.yaml --num-fewshot 5 --limit 40
            """)

    @Argument(help: "A GGUF file.")
    var model: String

    @Argument(help: "The task file.")
    var file: String

    @Option(name: .customLong("num-fewshot"), help: "As many few-shot examples instead of what the file says.")
    var numFewShot: Int?

    @Option(help: "Maximum number of rows.")
    var limit = 100

    @Option(help: "Rows that are computed together.")
    var shardSize = 25

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
        guard (1...1_000_000).contains(self.limit), (1...1000).contains(self.rounds), self.shardSize > 0,
            (32...1_000_000).contains(self.batchTokens)
        else {
            throw ValidationError("--limit, --rounds and --shard-size are at least 1, --batch-tokens at least 32")
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
            throw UserError(
                "strict is for CPUs, and this is \(strict.identity.deviceKind)",
                hint: "hide the GPU, for example with CUDA_VISIBLE_DEVICES=")
        }
        // Shard by shard, in turns: a machine whose speed changes within minutes is as fast for one as for the other.
        var shards: [[EngineRequest]] = []
        for start in stride(from: 0, to: rows, by: self.shardSize) {
            var requests: [EngineRequest] = []
            for row in start..<min(start + self.shardSize, rows) {
                for request in try task.prepare(try data.evaluated.document(at: row)).requests {
                    requests += try request.tokenized(by: plan.tokenizer, maxLength: plan.maxLength)
                }
            }
            shards.append(requests)
        }
        var (planTimes, strictTimes) = (LatencySample(), LatencySample())
        // The first passes make the contexts.
        var (planTokens, strictTokens) = (0, 0)
        for shard in shards {
            planTokens += try await self.time(plan, shard).tokens
            strictTokens += try await self.time(strict, shard).tokens
        }
        for _ in 1...self.rounds {
            var (planTime, strictTime) = (Duration.zero, Duration.zero)
            for shard in shards {
                planTime += try await self.time(plan, shard).duration
                strictTime += try await self.time(strict, shard).duration
            }
            planTimes.add(planTime)
            strictTimes.add(strictTime)
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

struct BenchStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Measure the store: publishing shards, joining them to a job's file, verifying it.",
        discussion: """
            Makes a store with one made-up job of multiple choice in FOLDER, which must not exist, and removes it unless
            --keep is given. Shards are flushed to the disk one by one, as a worker does it.
            Example:  assay bench store /scratch/bench --samples 1000000 --shards 10000
            """)

    @Argument(help: "A folder to make on the file system to be measured.")
    var folder: String

    @Option(help: "Samples of the job, of four choices each.")
    var samples = 100_000

    @Option(help: "Shards that they are published in.")
    var shards = 1000

    @Flag(help: "Leave the store there.")
    var keep = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var samples: Int
        var shards: Int
        var publishSeconds: Double
        var joinSeconds: Double
        var verifySeconds: Double
        var shardBytes: Int
        var jobFileBytes: Int
        /// What the process took at most, in bytes.
        var peakMemory: Int
        var jobFile: String
    }

    func validate() throws {
        guard self.shards > 0, self.samples >= self.shards else {
            throw ValidationError("--shards is at least 1, and --samples at least as many")
        }
    }

    func run() async throws {
        guard !FileManager.default.fileExists(atPath: self.folder) else {
            throw UserError("'\(self.folder)' is there already", hint: "name a folder that does not exist")
        }
        let store = try await Store.create(root: self.folder)
        defer { if !self.keep { try? FileManager.default.removeItem(atPath: self.folder) } }
        let clock = ContinuousClock()
        var files: [PublishedFile] = []
        let publishing = try await clock.measure {
            for shard in 0..<self.shards { files.append(try await self.publish(shard, in: store)) }
        }
        var job: PublishedFile?
        let joining = try await clock.measure {
            job = try await store.buildJobFile(runID: BenchJob.run, jobID: BenchJob.job, shards: files)
        }
        guard let job else { return }
        var issues: [VerificationIssue] = []
        let verifying = try await clock.measure { issues = try await store.verifyJobFile(job, shards: files) }
        guard issues.isEmpty else { throw UserError("\(issues.count) files are not as published") }
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let answer = Answer(
            samples: self.samples, shards: self.shards, publishSeconds: publishing / .seconds(1),
            joinSeconds: joining / .seconds(1), verifySeconds: verifying / .seconds(1),
            shardBytes: files.reduce(0) { $0 + $1.bytes }, jobFileBytes: job.bytes,
            peakMemory: Int(usage.ru_maxrss) * 1024, jobFile: try store.absolutePath(job.path))
        if self.options.json { return try Output.json(answer) }
        func rate(_ seconds: Double) -> String { "\(Format.fixed(Double(self.shards) / seconds, 0)) shards/s" }
        var table = Table("step", ">seconds", ">rate")
        table.add("publish", Format.fixed(answer.publishSeconds, 1), rate(answer.publishSeconds))
        table.add("join", Format.fixed(answer.joinSeconds, 1), rate(answer.joinSeconds))
        table.add("verify", Format.fixed(answer.verifySeconds, 1), rate(answer.verifySeconds))
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
        Output.line(
            "shards \(Format.bytes(Int64(answer.shardBytes))), job's file \(Format.bytes(Int64(answer.jobFileBytes))), "
                + "memory at most \(Format.bytes(Int64(answer.peakMemory)))")
        if self.keep { Output.line("\(answer.jobFile)") }
    }

    private func publish(_ shard: Int, in store: Store) async throws -> PublishedFile {
        let rows = shard * self.samples / self.shards..<(shard + 1) * self.samples / self.shards
        return try await store.publishShard(
            BenchJob.header(shard, rows), samples: rows.map(BenchJob.sample), epoch: 1, incarnation: UUID())
    }
}

/// A made-up job, the same each time.
private enum BenchJob {
    static let run = "bench000"
    static let job = "bench000.0"

    static func header(_ shard: Int, _ rows: Range<Int>) -> ShardHeader {
        func hash(_ digit: Character) -> String { String(repeating: digit, count: 64) }
        return ShardHeader(
            runID: self.run, jobID: self.job, shardIndex: shard, rowStart: rows.lowerBound, rowCount: rows.count,
            modelSHA256: hash("a"), tokenizerSHA256: hash("b"), datasetSHA256: hash("c"), taskHash: hash("d"),
            engine: "none", engineBuild: "bench", deviceKind: "cpu", logitsMode: .choices, provenance: "{}")
    }

    static func sample(_ row: Int) -> SampleResult {
        // A mixture that no filter makes much of, and that is the same everywhere.
        func random(_ number: Int) -> Double {
            var state = UInt64(truncatingIfNeeded: row &* 4 &+ number) &* 0x9E37_79B9_7F4A_7C15
            state = (state ^ (state >> 31)) &* 0xBF58_476D_1CE4_E5B9
            return Double((state ^ (state >> 29)) >> 11) / Double(1 << 53)
        }
        let choices = (0..<4).map { number in
            ChoiceResult(
                text: " ending \(number) of question \(row)", logProb: -40 * random(number), tokenCount: 6,
                byteCount: 28, characterCount: 28, isGreedy: false)
        }
        let best = choices.indices.max { choices[$0].logProb < choices[$1].logProb } ?? 0
        return SampleResult(
            sampleID: "question-\(row)", row: row, target: "\(row % 4)", prediction: "\(best)",
            metrics: [
                MetricValue(name: "acc", value: best == row % 4 ? 1 : 0),
                MetricValue(name: "acc_norm", value: random(9) < 0.4 ? 1 : 0),
            ], promptTokens: 80, prompt: "This is what question \(row) of the data set asks.", choices: choices)
    }
}
