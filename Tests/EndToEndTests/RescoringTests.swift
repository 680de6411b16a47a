import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// Texts drawn through a chat template, and scored anew.
@Suite(.timeLimit(.minutes(10))) struct RescoringTests {
    private struct Rescored: Decodable {
        var run: String
        var samples: Int
    }

    private static let task = """
        task: counting
        dataset_path: json
        dataset_kwargs: {data_files: {test: rows.jsonl, train: train.jsonl}}
        training_split: train
        test_split: test
        doc_to_text: "What comes after {{n}}?"
        doc_to_target: "{{after}}"
        num_fewshot: 2
        repeats: 3
        generation_kwargs: {until: ["\\n"], max_gen_toks: 6, do_sample: true, temperature: 0.8, top_p: 0.9}

        """

    @Test func answersAreDrawnAlikeAndCanBeScoredAnew() async throws {
        try await Workbench.withModel { bench in
            func write(_ name: String, _ text: String) throws {
                try text.write(toFile: "\(bench.folder)/\(name)", atomically: true, encoding: .utf8)
            }
            func rows(_ numbers: Range<Int>) -> String {
                numbers.map { "{\"n\": \($0), \"after\": \"\($0 + 1)\"}" }.joined(separator: "\n")
            }
            try write("rows.jsonl", rows(0..<4))
            try write("train.jsonl", rows(10..<40))
            try write("task.yaml", Self.task + "metric_list: [{metric: exact_match}]\n")
            try write(
                "lenient.yaml",
                Self.task + """
                    filter_list: [{name: number, filter: [{function: regex, regex_pattern: '(-?[0-9]+)'}]}]
                    metric_list: [{metric: exact_match}, {metric: pass@2}, {metric: majority@3}]
                    """)
            try write("other.yaml", Self.task.replacing("after {{n}}", with: "behind {{n}}"))
            let file = try bench.jobFile(
                """
                model: smollm2
                settings: {shard_size: 2, chat_template: true, system_instruction: Answer with a number.}
                tasks: [\(bench.folder)/task.yaml]
                """)
            var digests: [String] = []
            var runs: [String] = []
            for _ in 0..<2 {
                let run = try await bench.answer(RunAnswer.self, "submit", file)
                #expect(try await bench.worker().termination.isSuccess)
                digests.append(String(try await bench.assay("results", "digest", run.id).prefix(64)))
                runs.append(run.id)
            }
            #expect(digests[0] == digests[1])

            let answer = try await bench.answer(
                Rescored.self, "results", "rescore", runs[0], "--task", "\(bench.folder)/lenient.yaml")
            #expect(answer.samples == 4 && answer.run != runs[0])
            let report = try await bench.run("assay-report", "build", answer.run)
            #expect(report.termination.isSuccess, "\(report.standardError.text)")
            #expect(report.standardOutput.text.contains("pass@2 (number)"), "\(report.standardOutput.text)")
            #expect(try await bench.assay("results", "verify", answer.run).contains("as published"))
            // What was there stays.
            #expect(try await bench.assay("results", "digest", runs[0]).hasPrefix(digests[0]))

            let refused = try await bench.run(
                "assay", "results", "rescore", runs[0], "--task", "\(bench.folder)/other.yaml")
            #expect(refused.termination == .exited(status: 1))
            #expect(refused.standardError.text.contains("row 0: the model would be asked something else"))
            let difference = try await bench.assay(
                "task", "preview", "\(bench.folder)/task.yaml", "--diff", "\(bench.folder)/other.yaml")
            #expect(difference.contains("4 rows of 4 differ; row 0 is the first"), "\(difference)")
            #expect(difference.contains("-What comes after 0?") && difference.contains("+What comes behind 0?"))
        }
    }
}
