import OrderedCollections
import Testing

@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Texts that are programs.
@Suite struct ProgramTests {
    /// lm-eval's humaneval_64, with fewer texts.
    private static let yaml = """
        task: humaneval
        dataset_path: openai/openai_humaneval
        unsafe_code: true
        output_type: generate_until
        test_split: test
        doc_to_text: "{{prompt}}"
        doc_to_target: "{{test}}\\ncheck({{entry_point}})"
        metric_list:
          - metric: !function humaneval.utils.pass_at_k
            aggregation: mean
            higher_is_better: true
            k: [1, 2]
        generation_kwargs: {until: ["\\ndef"], max_gen_toks: 64, do_sample: true, temperature: 0.2, top_p: 0.95}
        repeats: 3
        filter_list:
          - name: "create_test"
            filter:
              - function: "custom"
                filter_fn: !function humaneval.utils.build_predictions
        metadata: {version: 1.0}

        """
    private static let row = JSONValue.object([
        "prompt": .string("def one():\n"), "test": .string("def check(f):\n    assert f() == 1"),
        "entry_point": .string("one"),
    ])

    private static func task() throws -> EvaluationTask {
        let task = try EvaluationTask(TaskConfiguration(yaml: Self.yaml, file: "t.yaml"))
        return try EvaluationTask(canonicalJSON: task.canonicalJSON)
    }

    @Test func programsArePromptTextAndTest() throws {
        let task = try Self.task()
        #expect(task.metrics.map(\.name) == ["pass@1,create_test", "pass@2,create_test"])
        let (sample, requests, responses) = try Answering.answered(
            task, Self.row, texts: ["    return 1", "    return 2", "    pass"])
        let programs = try task.programs(sample, requests: requests, responses: responses)
        #expect(programs.count == 3)
        #expect(
            programs[0]
                == "def one():\n    return 1\ndef check(f):\n    assert f() == 1\ncheck(one)")
        let result = try task.score(
            sample, requests: requests, responses: responses, logitsMode: .none,
            verdicts: [.failed("AssertionError"), .passed, .failed("timed out")])
        #expect(result.value("pass@1,create_test").map { abs($0 - 1 / 3.0) < 1e-15 } == true)
        #expect(result.value("pass@2,create_test").map { abs($0 - 2 / 3.0) < 1e-15 } == true)
        #expect(result.prediction == "failed: AssertionError")
    }

    @Test func nothingIsScoredWithoutVerdicts() throws {
        let task = try Self.task()
        let error = #expect(throws: TaskError.self) {
            try Answering.score(task, Self.row, texts: ["a", "b", "c"], verdicts: [.passed])
        }
        #expect(error?.message.contains("1 verdicts on 3 programs") == true)
        #expect(throws: TaskError.self) {
            try Answering.score(
                try Answering.task(""), .object(["q": .string(""), "a": .string("")]), texts: ["a"],
                verdicts: [.passed])
        }
    }

    @Test(arguments: [
        ("metric_list: [{metric: exact_match}]", "use pass@k"), ("metric_list: [{metric: bleu}]", "use pass@k"),
        ("output_type: loglikelihood", "generate_until"),
    ])
    func whatJudgesNoProgramsIsRefused(line: String, hint: String) {
        let error = #expect(throws: TaskError.self) { try Answering.task("unsafe_code: true\n" + line) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test func codeIsRunOnlyWhereTheFileAllowsIt() {
        let yaml = Self.yaml.replacing("unsafe_code: true\n", with: "")
        let error = #expect(throws: TaskError.self) { try TaskConfiguration(yaml: yaml, file: "t.yaml") }
        #expect(error?.message.contains("allow it with unsafe_code: true") == true)
    }

    @Test func fewerTextsThanKAreRefused() {
        let yaml = Self.yaml.replacing("repeats: 3", with: "repeats: 1")
        let error = #expect(throws: TaskError.self) { try TaskConfiguration(yaml: yaml, file: "t.yaml") }
        #expect(error?.message.contains("pass@2 needs 2 texts") == true)
    }
}
