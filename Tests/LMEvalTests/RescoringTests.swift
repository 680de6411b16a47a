import JSON
import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import LMEval

/// Scoring anew what was kept of answers.
@Suite struct RescoringTests {
    private static func choices(_ metrics: String) throws -> EvaluationTask {
        try EvaluationTask(
            try TaskConfiguration(yaml: ConfigurationTests.minimal + "metric_list: [\(metrics)]\n", file: "t.yaml"))
    }

    private static let document = Document(
        row: 4,
        value: .object([
            "q": .string("Q"), "choices": .array([.string("aa"), .string("b"), .string("c")]), "label": .int(1),
        ]))

    private static func answered(_ task: EvaluationTask, mode: LogitsMode = .choices) throws -> SampleResult {
        let values: [Float] = [-1, -2, -0.5]
        return try task.score(
            try task.prepare(Self.document),
            requests: values.map { _ in [.score(ScoringRequest(tokens: [1, 2], scoredFrom: 1))] },
            responses: values.map { [.score(ScoredContinuation(tokenLogProbs: [$0], isGreedy: $0 > -1))] },
            logitsMode: mode)
    }

    /// What is computed from kept answers equals what the answers themselves would give.
    @Test func keptAnswersSuffice() throws {
        let before = try Self.choices("{metric: acc}")
        let after = try Self.choices("{metric: acc_norm}, {metric: brier_score}, {metric: mcc}, {metric: exact_match}")
        let stored = try Self.answered(before)
        let sample = try after.prepare(Self.document)
        #expect(sample.asksTheSame(as: try before.prepare(Self.document)))
        #expect(try after.rescore(sample, stored) == Self.answered(after))
    }

    @Test func textsAreFilteredAnew() throws {
        func task(_ group: Int) throws -> EvaluationTask {
            try EvaluationTask(
                try TaskConfiguration(
                    yaml: """
                        task: t
                        dataset_path: json
                        dataset_kwargs: {data_files: {test: t.jsonl}}
                        test_split: test
                        doc_to_text: q
                        doc_to_target: "2"
                        filter_list: [{name: f, filter: [{function: regex, regex_pattern: '[0-9]', group_select: \(group)}]}]
                        """, file: "t.yaml"))
        }
        let (first, last) = (try task(0), try task(-1))
        let document = Document(row: 0, value: .object(["q": .string("Q")]))
        let stored = try first.score(
            try first.prepare(document),
            requests: [[.generate(GenerationRequest(prompt: [1], stop: [], maxTokens: 9))]],
            responses: [
                [.generation(Generation(tokens: [1], tokenLogProbs: [-1], text: "1 or 2", finishReason: .stop))]
            ],
            logitsMode: .none)
        let again = try last.rescore(try last.prepare(document), stored)
        #expect(stored.metrics.map(\.value) == [0] && again.metrics.map(\.value) == [1])
        #expect(again.prediction == "2" && again.generation == "1 or 2")
    }

    @Test func otherQuestionsAreNoticed() throws {
        let task = try Self.choices("{metric: acc}")
        var yaml = ConfigurationTests.minimal
        yaml += "description: 'New. '\n"
        let other = try EvaluationTask(try TaskConfiguration(yaml: yaml, file: "t.yaml"))
        let sample = try other.prepare(Self.document)
        #expect(!sample.asksTheSame(as: try task.prepare(Self.document)))
        #expect(throws: TaskError.self) { try other.rescore(sample, try Self.answered(task)) }
    }

    @Test func tooLittleIsAnError() throws {
        let task = try Self.choices("{metric: acc}")
        let sample = try task.prepare(Self.document)
        let none = try Self.answered(task, mode: .none)
        let error = #expect(throws: TaskError.self) { try task.rescore(sample, none) }
        #expect(error?.message.contains("logits: none") == true)
        var halved = try Self.answered(task)
        halved.choices.removeLast()
        let damaged = halved
        #expect(throws: TaskError.self) { try task.rescore(sample, damaged) }
        let mutual = try Self.choices("{metric: acc_mutual_info}")
        #expect(throws: TaskError.self) {
            try mutual.rescore(try mutual.prepare(Self.document), try Self.answered(task))
        }
    }
}
