import Datasets
import Evaluation
import Foundation
import LMEval
import Planning
import Testing

/// Where the prompts of two tasks differ.
@Suite struct PromptDifferenceTests {
    private static let questions = (0..<3).map { #"{"q": "Q\#($0)", "a": "A\#($0)"}"# }

    /// A task that asks for text.
    private static func task(
        _ text: String = "Question: {{q}}\\nAnswer:", maxTokens: Int = 6, more: String = "",
        rows: [String] = questions
    ) throws -> (task: EvaluationTask, rows: DataSet) {
        let data = try DataSet(jsonl: Array(rows.joined(separator: "\n").utf8))
        let configuration = try TaskConfiguration(
            yaml: """
                task: t
                dataset_path: json
                dataset_kwargs: {data_files: {test: t.jsonl}}
                test_split: test
                doc_to_text: "\(text)"
                doc_to_target: "{{a}}"
                generation_kwargs: {until: ["\\n"], max_gen_toks: \(maxTokens)}
                \(more)
                """, file: "t.yaml")
        return (try EvaluationTask(configuration, TaskData(evaluated: data)), data)
    }

    private static func choices(_ choices: String) throws -> (task: EvaluationTask, rows: DataSet) {
        let data = try DataSet(jsonl: Array(#"{"q": "Q", "gold": 0}"#.utf8))
        let configuration = try TaskConfiguration(
            yaml: """
                task: t
                dataset_path: json
                dataset_kwargs: {data_files: {test: t.jsonl}}
                test_split: test
                output_type: multiple_choice
                doc_to_text: "First\\nSecond\\n{{q}}"
                doc_to_choice: \(choices)
                doc_to_target: gold
                metric_list: [{metric: acc}]
                """, file: "t.yaml")
        return (try EvaluationTask(configuration, TaskData(evaluated: data)), data)
    }

    @Test func equalPromptsDoNotDiffer() throws {
        let difference = try PromptDifference(
            try Self.task(), try Self.task(more: "metric_list: [{metric: exact_match}]"), style: PromptStyle())
        #expect(difference.rows == [3, 3] && difference.differing == 0)
        #expect(difference.firstDifferingRow == nil && difference.lines.isEmpty)
        // As `--json` prints it.
        #expect(try Self.keys(of: difference) == ["differing", "lines", "rows"])
    }

    @Test func theFirstDifferingRowIsShownLineByLine() throws {
        let difference = try PromptDifference(
            try Self.task(), try Self.task("{{ 'Query' if q == 'Q1' else 'Question' }}: {{q}}\\nAnswer:"),
            style: PromptStyle())
        #expect(difference.differing == 1 && difference.firstDifferingRow == 1)
        #expect(
            difference.lines == [
                "-Question: Q1", "+Query: Q1", " Answer:", #" at most 6 tokens, greedy, stops at "\n""#,
            ])
        #expect(try Self.keys(of: difference) == ["differing", "firstDifferingRow", "lines", "rows"])
    }

    @Test func linesFarFromAChangeAreLeftOut() throws {
        let head = (0..<9).map { "line \($0)\\n" }.joined()
        let difference = try PromptDifference(
            try Self.task(head + "{{q}}"), try Self.task(head + "New\\n{{q}}"), style: PromptStyle())
        #expect(difference.differing == 3 && difference.firstDifferingRow == 0)
        #expect(
            difference.lines == [
                " …", " line 7", " line 8", "+New", " Q0", #" at most 6 tokens, greedy, stops at "\n""#,
            ])
    }

    @Test func settingsOfGenerationAreCompared() throws {
        let difference = try PromptDifference(
            try Self.task(), try Self.task(maxTokens: 7), style: PromptStyle())
        #expect(difference.differing == 3)
        #expect(
            difference.lines == [
                " Question: Q0", " Answer:", #"-at most 6 tokens, greedy, stops at "\n""#,
                #"+at most 7 tokens, greedy, stops at "\n""#,
            ])
    }

    @Test func aContextIsShownOnceForAllItsChoices() throws {
        let difference = try PromptDifference(
            try Self.choices(#"["yes", "no"]"#), try Self.choices(#"["yes", "never", "\"n\""]"#), style: PromptStyle())
        #expect(difference.differing == 1)
        #expect(
            difference.lines == [
                " …", " Q", #" continuation " yes""#, #"-continuation " no""#, #"+continuation " never""#,
                #"+continuation " \"n\"""#,
            ])
    }

    @Test func rowsThatOnlyOneTaskHasDiffer() throws {
        let difference = try PromptDifference(
            try Self.task(), try Self.task(rows: Array(Self.questions[..<2])), style: PromptStyle())
        #expect(difference.rows == [3, 2] && difference.differing == 1)
        #expect(difference.firstDifferingRow == 2 && difference.lines.isEmpty)
        let other = try PromptDifference(
            try Self.task("Say {{q}}", rows: Array(Self.questions[..<1])), try Self.task(), style: PromptStyle())
        #expect(other.rows == [1, 3] && other.differing == 3)
        #expect(other.firstDifferingRow == 0 && other.lines.first == "-Say Q0")
    }

    @Test func whiteSpaceShowsInQuotes() {
        #expect(PromptDifference.quoted(" a\n\"b\"\\ ") == #"" a\n\"b\"\\ ""#)
    }

    private static func keys(of difference: PromptDifference) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(difference))
        return try #require(object as? [String: Any]).keys.sorted()
    }
}
