import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// Tasks whose answers are programs, which run in a sandbox.
@Suite(.timeLimit(.minutes(15))) struct ProgramTests {
    /// Two rows: the test of one holds whatever the model writes, the other's never does.
    private static let rows = [
        #"{"task_id": "x/0", "prompt": "def one():\n    return 1\n", "test": "def check(f):\n    assert f() == 1", "entry_point": "one"}"#,
        #"{"task_id": "x/1", "prompt": "def two():\n    return 1\n", "test": "def check(f):\n    open('/etc/passwd')", "entry_point": "two"}"#,
    ]
    private static let task = """
        task: programs
        dataset_path: json
        dataset_kwargs: {data_files: {test: programs.jsonl}}
        unsafe_code: true
        output_type: generate_until
        test_split: test
        doc_to_text: "{{prompt}}"
        doc_to_target: "{{test}}\\ncheck({{entry_point}})"
        metric_list: [{metric: !function humaneval.utils.pass_at_k, k: [1]}]
        generation_kwargs: {until: ["\\n"], max_gen_toks: 4, grammar: 'root ::= "# " [a-z]+'}
        filter_list:
          - {name: create_test, filter: [{function: custom, filter_fn: !function humaneval.utils.build_predictions}]}
        metadata: {cluster_key: task_id}
        """

    private struct Report: Decodable {
        struct Score: Decodable {
            var column: String
            var value: Double
            var clusters: Int?
        }
        struct Job: Decodable {
            struct Engine: Decodable { var build: String }
            var engines: [Engine]
        }
        var scores: [Score]
        var jobs: [Job]
    }

    @Test func programsAreJudgedWhereThatIsAllowed() async throws {
        try await Workbench.withModel { bench in
            try Self.rows.joined(separator: "\n").write(
                toFile: "\(bench.folder)/programs.jsonl", atomically: true, encoding: .utf8)
            try Self.task.write(toFile: "\(bench.folder)/programs.yaml", atomically: true, encoding: .utf8)
            let asked = try bench.jobFile("model: smollm2\ntasks: [\(bench.folder)/programs.yaml]")
            let refused = try await bench.run("assay", "submit", asked)
            #expect(!refused.termination.isSuccess && refused.standardError.text.contains("run_code: true"))
            let file = try bench.jobFile(
                "model: smollm2\nsettings: {run_code: true, max_length: 512}\ntasks: [\(bench.folder)/programs.yaml]")
            let run = try await bench.answer(RunAnswer.self, "submit", file)
            let worker = try await bench.worker("--run-code")
            #expect(worker.termination.isSuccess, "\(worker.standardError.text)")
            let built = try await bench.run("assay-report", "build", run.id)
            #expect(built.termination.isSuccess, "\(built.standardError.text)")
            let path = "\(bench.store)/reports/\(run.id)/v1"
            let report = try JSONDecoder().decode(
                Report.self, from: Data(contentsOf: URL(filePath: "\(path)/report.json")))
            #expect(report.scores.map(\.column) == ["pass@1,create_test"])
            #expect(report.scores.map(\.value) == [0.5] && report.scores[0].clusters == 2)
            #expect(report.jobs[0].engines[0].build.contains("; Python 3."))
            let samples = try String(contentsOfFile: "\(path)/programs.csv", encoding: .utf8)
            #expect(samples.contains("passed,x/0,1.0"), "\(samples)")
            #expect(samples.contains("FileNotFoundError"), "\(samples)")
        }
    }
}
