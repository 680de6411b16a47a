import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

@Suite struct ScoringTests {
    private static func task(_ changes: String = "") throws -> EvaluationTask {
        try EvaluationTask(
            try TaskConfiguration(yaml: ConfigurationTests.minimal + changes, file: "t.yaml"))
    }

    private static let document = Document(
        row: 4,
        value: .object([
            "id": .string("d"), "q": .string("Q"), "choices": .array([.string("ééé"), .string("a"), .string("bb")]),
            "label": .int(1),
        ]))

    private static func score(
        _ task: EvaluationTask, _ values: [[Float]], mode: LogitsMode = .tokens, truncated: Int = 0
    ) throws -> SampleResult {
        let sample = try task.prepare(Self.document)
        let requests = values.map {
            [
                EngineRequest.score(
                    ScoringRequest(
                        tokens: [9, 8] + $0.indices.map { Int32($0) }, scoredFrom: 2, truncated: truncated))
            ]
        }
        let responses = values.map {
            [EngineResponse.score(ScoredContinuation(tokenLogProbs: $0, isGreedy: false))]
        }
        return try task.score(sample, requests: requests, responses: responses, logitsMode: mode)
    }

    @Test func choicesAreComparedAndTiesGoToTheFirst() throws {
        let result = try Self.score(try Self.task(), [[-1, -2], [-3], [-1.5, -1.5]], truncated: 1)
        #expect(result.prediction == "0")
        // Per code point: -1, -3, -1.5.
        #expect(result.metrics == [MetricValue(name: "acc", value: 0), MetricValue(name: "acc_norm", value: 0)])
        #expect(result.target == "a")
        #expect(result.sampleID == "d")
        #expect(result.row == 4)
        #expect(result.prompt == "Q")
        #expect(result.promptTokens == 6)
        #expect(result.isTruncated)
        #expect(result.choices[0].characterCount == 3)
        #expect(result.choices[0].byteCount == 6)
        #expect(result.choices[0].tokenCount == 2)
        #expect(result.choices.map(\.logProb) == [-3, -3, -3])
        #expect(result.tokens.count == 11)
        #expect(result.tokens[1].isPrompt && result.tokens[1].logProb.isNaN)
        #expect(result.tokens[3] == TokenResult(tokenID: 1, logProb: -2, isPrompt: false, request: 0))
        #expect(result.tokens.map(\.request) == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    }

    @Test func lengthIsInCodePointsWithoutTheDelimiter() throws {
        // -6 / 3 = -2, -1.9 / 1, -4.2 / 2 = -2.1: the second wins only if é counts as one.
        let result = try Self.score(try Self.task(), [[-6], [-1.9], [-4.2]])
        #expect(result.metrics.map(\.value) == [1, 1])
        let other = try Self.score(try Self.task(), [[-5], [-1.7], [-4.2]])
        #expect(other.metrics.map(\.value) == [1, 0])
    }

    @Test func modesKeepWhatTheySay() throws {
        let none = try Self.score(try Self.task(), [[-1], [-2], [-3]], mode: .none)
        #expect(none.choices.isEmpty && none.tokens.isEmpty)
        let choices = try Self.score(try Self.task(), [[-1], [-2], [-3]], mode: .choices)
        #expect(choices.choices.count == 3 && choices.tokens.isEmpty)
        #expect(none.metrics == choices.metrics)
    }

    @Test func answersThatDoNotFitAreRefused() throws {
        let task = try Self.task()
        #expect(throws: TaskError.self) { try Self.score(task, [[-1], [-2]]) }
        let error = #expect(throws: TaskError.self) { try Self.score(task, [[-1], [.nan], [-3]]) }
        #expect(error?.code == .invalidResponse)
        #expect(error?.message.hasPrefix("sample d (row 4): ") == true)
        let sample = try task.prepare(Self.document)
        let request = EngineRequest.score(ScoringRequest(tokens: [1, 2], scoredFrom: 1))
        let short = EngineResponse.score(ScoredContinuation(tokenLogProbs: [], isGreedy: true))
        let text = EngineResponse.generation(
            Generation(tokens: [], tokenLogProbs: [], text: "", finishReason: .stop))
        for response in [short, text] {
            #expect(throws: TaskError.self) {
                try task.score(
                    sample, requests: Array(repeating: [request], count: 3),
                    responses: Array(repeating: [response], count: 3), logitsMode: .none)
            }
        }
    }

    @Test(arguments: [
        ("label", JSONValue.int(3), "not one of the 3 choices"), ("label", .string("x"), "not one of the 3 choices"),
        ("label", .null, "doc_to_target gives null"), ("choices", .array([]), "a list of strings"),
        ("choices", .array([.int(1)]), "an integer"), ("choices", .array([.string("")]), "an empty string"),
        ("q", .string("12"), "multiple_input (which only Assay knows)"),
    ])
    func badRowsAreNamed(column: String, value: JSONValue, hint: String) throws {
        var document = Self.document
        guard case .object(var members) = document.value else { return }
        members.updateValue(value, forKey: column)
        document.value = .object(members)
        let error = #expect(throws: TaskError.self) { try Self.task().prepare(document) }
        #expect(error?.code == .invalidSample)
        #expect(error?.message.hasPrefix("row 4: ") == true)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test func missingColumnsAreNamed() throws {
        let document = Document(row: 7, value: .object(["choices": .array([.string("a")]), "label": .int(0)]))
        let error = #expect(throws: TaskError.self) { try Self.task().prepare(document) }
        #expect(error?.message == "row 7: doc_to_text: line 1, column 3 of the template: 'q' is undefined")
    }

    @Test func windowsAreAddedUp() throws {
        let yaml = ConfigurationTests.generating + "output_type: loglikelihood_rolling\n"
        let task = try EvaluationTask(try TaskConfiguration(yaml: yaml, file: "t.yaml"))
        let sample = try task.prepare(
            Document(row: 0, value: .object(["q": .string(""), "a": .string("é b c")])))
        let requests = [
            EngineRequest.score(ScoringRequest(tokens: [1, 2, 3], scoredFrom: 1)),
            .score(ScoringRequest(tokens: [2, 3, 4], scoredFrom: 2)),
        ]
        let responses = [
            EngineResponse.score(ScoredContinuation(tokenLogProbs: [-1, -2], isGreedy: true)),
            .score(ScoredContinuation(tokenLogProbs: [-4], isGreedy: true)),
        ]
        let result = try task.score(sample, requests: [requests], responses: [responses], logitsMode: .tokens)
        #expect(
            result.metrics == [
                MetricValue(name: "word_perplexity", value: -7, weight: 3),
                MetricValue(name: "byte_perplexity", value: -7, weight: 6),
                MetricValue(name: "bits_per_byte", value: -7, weight: 6),
            ])
        #expect(result.tokens.map(\.request) == [0, 0, 0, 1, 1, 1])
        #expect(result.choices.first?.logProb == -7)
        #expect(result.choices.first?.byteCount == 6)
    }

    @Test func generationsAreFilteredAndKept() throws {
        let yaml =
            ConfigurationTests.generating + """
                filter_list:
                  - {name: strict, filter: [{function: regex, regex_pattern: '#### (\\d+)'}, {function: take_first}]}
                  - {name: loose, filter: [{function: regex, regex_pattern: '\\d+', group_select: -1}, {function: take_first}]}
                """
        let task = try EvaluationTask(try TaskConfiguration(yaml: yaml, file: "t.yaml"))
        #expect(task.metrics.map(\.name) == ["exact_match,strict", "exact_match,loose"])
        let sample = try task.prepare(Document(row: 0, value: .object(["q": .string("Q"), "a": .int(5)])))
        #expect(sample.target == "5")
        let generation = Generation(
            tokens: [7, 8], tokenLogProbs: [-0.5, -1], text: "it is 5", finishReason: .length)
        let result = try task.score(
            sample, requests: [[.generate(GenerationRequest(prompt: [1, 2, 3], stop: [], maxTokens: 2))]],
            responses: [[.generation(generation)]], logitsMode: .tokens)
        #expect(result.metrics.map(\.value) == [0, 1])
        #expect(result.isUnparsed)
        #expect(result.prediction == "5")
        #expect(result.generation == "it is 5")
        #expect(result.finishReason == .length)
        #expect(result.promptTokens == 3 && result.generatedTokens == 2)
        #expect(result.tokens.map(\.tokenID) == [1, 2, 3, 7, 8])
        #expect(result.tokens.map(\.isPrompt) == [true, true, true, false, false])
    }
}
