import Foundation
import ProcessTesting
import Testing
import UVEventLoop

@Suite(.timeLimit(.minutes(10))) struct DataSetTests {
    private struct Added: Decodable {
        var changed: [String]
    }

    private struct Job: Decodable, Equatable {
        var taskHash: String
        var dataSetSHA256: String
    }

    /// The same rows under a name and in a file are the same job, and a worker needs no name.
    @Test func aRegisteredDataSetIsEvaluatedLikeItsFile() async throws {
        try await Workbench.withModel { bench in
            let rows = "test=\(Inputs.data)/hellaswag.jsonl"
            for changed in [["test"], []] {
                let added = try await bench.answer(
                    Added.self, "dataset", "add", "Rowan/hellaswag", "--split", rows)
                #expect(added.changed == changed)
            }
            let original = try String(
                contentsOfFile: Workbench.repository + "/jobs/tasks/hellaswag.yaml", encoding: .utf8)
            let task = "\(bench.folder)/hellaswag.yaml"
            try original.replacing("dataset_path: json", with: "dataset_path: Rowan/hellaswag")
                .replacing("data_files:\n    test: hellaswag.jsonl", with: "trust_remote_code: true")
                .write(toFile: task, atomically: true, encoding: .utf8)
            let file = try bench.jobFile(
                "model: smollm2\ntasks: [{task: TASKS/hellaswag.yaml, limit: 2}, {task: \(task), limit: 2}]")
            let jobs = try await bench.answer([Job].self, "submit", file, "--dry-run")
            #expect(jobs.count == 2 && jobs.first == jobs.last)
            let run = try await bench.answer(RunAnswer.self, "submit", file)
            try await bench.assay("dataset", "remove", "Rowan/hellaswag")
            #expect(try await bench.worker().termination.isSuccess)
            #expect(try await bench.assay("results", "verify", run.id).contains("as published"))
            let late = try await bench.run("assay", "task", "show", task)
            #expect(late.termination == .exited(status: 1))
            #expect(late.standardError.text.contains("`assay dataset add Rowan/hellaswag --split test=FILE`"))
        }
    }
}
