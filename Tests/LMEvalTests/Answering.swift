@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// A model that answers what a test tells it to.
enum Answering {
    /// Scores a row whose texts, and log-likelihoods for what else is asked, are given in order.
    static func score(
        _ task: EvaluationTask, _ columns: JSONValue, row: Int = 0, texts: [String], logProbs: [Float] = [],
        finish: FinishReason = .stop, truncated: Int = 0, verdicts: [ProgramVerdict] = []
    ) throws -> SampleResult {
        let (sample, requests, responses) = try Self.answered(
            task, columns, row: row, texts: texts, logProbs: logProbs, finish: finish, truncated: truncated)
        return try task.score(
            sample, requests: requests, responses: responses, logitsMode: .choices, verdicts: verdicts)
    }

    static func answered(
        _ task: EvaluationTask, _ columns: JSONValue, row: Int = 0, texts: [String], logProbs: [Float] = [],
        finish: FinishReason = .stop, truncated: Int = 0
    ) throws -> (PreparedSample, [[EngineRequest]], [[EngineResponse]]) {
        let sample = try task.prepare(Document(row: row, value: columns))
        var (texts, logProbs) = (texts[...], logProbs[...])
        var requests: [[EngineRequest]] = []
        var responses: [[EngineResponse]] = []
        for request in sample.requests {
            if case .generate = request {
                let text = texts.popFirst() ?? ""
                requests.append([
                    .generate(GenerationRequest(prompt: [1], stop: [], maxTokens: 9, truncated: truncated))
                ])
                responses.append([
                    .generation(Generation(tokens: [1], tokenLogProbs: [-1], text: text, finishReason: finish))
                ])
            } else {
                requests.append([.score(ScoringRequest(tokens: [1, 2], scoredFrom: 1, truncated: truncated))])
                responses.append([
                    .score(ScoredContinuation(tokenLogProbs: [logProbs.popFirst() ?? -1], isGreedy: false))
                ])
            }
        }
        return (sample, requests, responses)
    }

    static func task(_ lines: String) throws -> EvaluationTask {
        let yaml = """
            task: t
            dataset_path: json
            dataset_kwargs: {data_files: {test: t.jsonl}}
            test_split: test
            doc_to_text: q
            doc_to_target: a

            """
        let task = try EvaluationTask(TaskConfiguration(yaml: yaml + lines + "\n", file: "t.yaml"))
        // What a worker gets.
        return try EvaluationTask(canonicalJSON: task.canonicalJSON)
    }
}

extension SampleResult {
    func value(_ metric: String) -> Double? { self.metrics.first { $0.name == metric }?.value }
}
