import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// The task files that come with the project.
@Suite struct TaskFilesTests {
    private static let folder: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/jobs/tasks/"
    }()

    private static func prompt(_ name: String, _ json: String) throws -> PreparedSample {
        let task = try EvaluationTask(try TaskConfiguration.load(path: Self.folder + name))
        let document = Document(row: 0, value: try JSONValue.parse(json.utf8))
        return try EvaluationTask(canonicalJSON: task.canonicalJSON).prepare(document)
    }

    @Test func hellaswagIsPreprocessed() throws {
        let sample = try Self.prompt(
            "hellaswag.yaml",
            """
            {"id":"h","source":"hellaswag","activity_label":"Home","ctx":"[header] How to [title] Start. [step] Go on.",
            "endings":[" go. [title] End.","b  c","[substeps] d","e"],"expected_index":2}
            """)
        #expect(sample.prompt == "Home: How to. Start. Go on.")
        #expect(sample.choices == ["go.. End.", "b c", " d", "e"])
        #expect(sample.golds == [2])
        #expect(sample.requests[3] == .loglikelihood(context: sample.prompt, continuation: " e"))
    }

    @Test func truthfulQAHasItsSixExamples() throws {
        let sample = try Self.prompt(
            "truthfulqa_mc1.yaml",
            #"{"id":"t","source":"s","question":"Is it?","choices":["Yes.","No."],"expected_index":0}"#)
        #expect(sample.prompt.hasPrefix("Q: What is human life expectancy in the United States?\nA: Human life"))
        #expect(sample.prompt.hasSuffix("held in Barcelona, Spain.\n\nQ: Is it?\nA:"))
        #expect(sample.prompt.split(separator: "Q: ").count == 7)
        #expect(sample.requests.first == .loglikelihood(context: sample.prompt, continuation: " Yes."))
        #expect(sample.target == "Yes.")
    }

    @Test func gsm8kIsScoredByBothFilters() throws {
        let sample = try Self.prompt(
            "gsm8k.yaml",
            ##"{"id":"g","source":"s","prompt":"How many?","expected":"18","upstream_answer":"so 2*9=18\n#### 18"}"##)
        #expect(sample.prompt.hasPrefix("Question: A baker"))
        #expect(sample.prompt.hasSuffix("#### 45\n\nQuestion: How many?\nAnswer:"))
        let task = try EvaluationTask(try TaskConfiguration.load(path: Self.folder + "gsm8k.yaml"))
        #expect(task.metrics.map(\.name) == ["exact_match,strict-match", "exact_match,flexible-extract"])
        for (text, values) in [("#### 18", [1.0, 1.0]), ("It is $18.", [0, 1]), ("no", [0, 0])] {
            let generation = Generation(tokens: [], tokenLogProbs: [], text: text, finishReason: .stop)
            let result = try task.score(
                sample, requests: [[.generate(GenerationRequest(prompt: [1], stop: [], maxTokens: 1))]],
                responses: [[.generation(generation)]], logitsMode: .none)
            #expect(result.metrics.map(\.value) == values)
        }
    }

    @Test func perplexityComesWithItsText() throws {
        let (task, data) = try EvaluationTask.load(path: Self.folder + "perplexity.yaml")
        let dataSet = data.evaluated
        #expect(dataSet.rowCount == 24)
        #expect(dataSet.notes == [])
        let sample = try task.prepare(try dataSet.document(at: 0))
        #expect(sample.requests == [.rolling(text: sample.target)])
        #expect(sample.target.hasPrefix("The lighthouse"))
        #expect(task.metrics.map(\.aggregation) == [.weightedPerplexity, .weightedPerplexity, .bitsPerByte])
    }

    @Test func missingDataNamesWhereItWasLookedFor() throws {
        let error = #expect(throws: TaskError.self) {
            try EvaluationTask.load(path: Self.folder + "hellaswag.yaml", searchFolders: ["/nonexistent"])
        }
        #expect(error?.code == .unreadableFile)
        #expect(error?.message.contains("/nonexistent/hellaswag.jsonl") == true)
    }
}
