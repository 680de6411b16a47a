import Evaluation
import Reporting

/// Inputs that tests build reports from.
enum Sample {
    static func hash(_ digit: Character) -> String { String(repeating: digit, count: 64) }

    static let toolVersion = "0.1.0"

    /// A run of two models on a multiple-choice, a generation and a perplexity task, small and of fixed numbers.
    static var run: ReportInput {
        ReportInput(
            runID: "k3f9", runName: "demo", project: "default",
            jobs: [
                Self.choice(job: "k3f9.1", model: Self.small, right: [17, 21]),
                Self.generation(job: "k3f9.2", model: Self.small),
                Self.text(job: "k3f9.3", model: Self.small, scale: 1),
                Self.choice(job: "k3f9.4", model: Self.large, right: [24, 29]),
                Self.text(job: "k3f9.5", model: Self.large, scale: 0.8),
            ])
    }

    static let small = ModelInput(
        name: "SmolLM2-135M-Instruct", sha256: Self.hash("a"), tokenizerSHA256: Self.hash("b"))
    static let large = ModelInput(
        name: "SmolLM2-360M-Instruct", sha256: Self.hash("c"), tokenizerSHA256: Self.hash("b"))

    static func job(
        _ name: String, task: TaskInput, model: ModelInput = Self.small, metrics: [MetricDefinition],
        samples: [SampleRow]
    ) -> JobInput {
        JobInput(
            name: name, task: task, model: model,
            engines: [.init(name: "llama.cpp", build: "b9870-1f2e3d4", deviceKind: "cpu")],
            datasetSHA256: Self.hash("d"), promptsHash: Self.hash("e"), logitsMode: "choices",
            settings: "{\"num_fewshot\":0,\"context_length\":2048}", shardCount: 2,
            digest: Self.hash("f"), resultPath: "runs/k3f9/\(name)/job.\(Self.hash("f").prefix(16)).h5",
            metrics: metrics, samples: SampleColumns(samples))
    }

    static func accuracy(_ metric: Metric) -> MetricDefinition {
        .init(name: metric.rawValue, metric: metric, filter: "none", aggregation: .mean, higherIsBetter: true)
    }

    private static func choice(job: String, model: ModelInput, right: [Int]) -> JobInput {
        Self.job(
            job, task: .init(name: "hellaswag", alias: "HellaSwag", version: "1.0", hash: Self.hash("1")), model: model,
            metrics: [.acc, .accNorm].map(Self.accuracy),
            samples: (0..<50).map { row in
                SampleRow(
                    sampleID: "hs-\(row)", target: "\(row % 4)", prediction: "0",
                    values: right.map { row * 7 % 50 < $0 ? 1 : 0 }, weights: [1, 1],
                    promptTokens: 80 + row)
            })
    }

    private static func generation(job: String, model: ModelInput) -> JobInput {
        Self.job(
            job, task: .init(name: "gsm8k", version: "3.0", hash: Self.hash("2")), model: model,
            metrics: ["strict-match", "flexible-extract"].map { (filter: String) in
                .init(
                    name: "exact_match,\(filter)", metric: .exactMatch, filter: filter, aggregation: .mean,
                    higherIsBetter: true)
            },
            samples: (0..<40).map { row in
                SampleRow(
                    sampleID: "\(row)", target: "18", prediction: row % 4 == 0 ? "[invalid]" : "18",
                    values: [row == 3 ? 1 : 0, row % 19 == 3 ? 1 : 0], weights: [1, 1],
                    finishReason: row % 5 == 0 ? "length" : "stop", promptTokens: 900,
                    generatedTokens: row % 5 == 0 ? 256 : 97, isTruncated: row == 8, isUnparsed: row % 4 == 0)
            })
    }

    private static func text(job: String, model: ModelInput, scale: Double) -> JobInput {
        let metrics: [(Metric, Aggregation)] = [
            (.wordPerplexity, .weightedPerplexity), (.bytePerplexity, .weightedPerplexity),
            (.bitsPerByte, .bitsPerByte),
        ]
        return Self.job(
            job, task: .init(name: "prose", alias: "Prose", version: "0", hash: Self.hash("3")), model: model,
            metrics: metrics.map {
                .init(
                    name: $0.0.rawValue, metric: $0.0, filter: "none", aggregation: $0.1, higherIsBetter: false)
            },
            samples: (0..<12).map { row in
                let words = Double(100 + row * 13 % 40)
                let likelihood = -words * scale * (3.5 + Double(row * 5 % 12) / 16)
                return SampleRow(
                    sampleID: "p\(row)", values: [likelihood, likelihood, likelihood],
                    weights: [words, words * 6, words * 6], promptTokens: 160)
            })
    }
}
