import Foundation
import OrderedCollections
import Testing

@testable import Evaluation

/// Targets, choices and examples of odd kinds are what lm-eval 0.4.13 makes of them; each was asked of it.
@Suite struct OddTargetTests {
    private static let head = """
        task: t
        dataset_path: json
        dataset_kwargs: {data_files: {test: t.jsonl}}
        test_split: test
        doc_to_text: q

        """

    /// A task with its rows, as a worker gets it.
    private func task(
        _ lines: String, rows: [String], fewShot: Int? = nil
    ) throws -> (task: EvaluationTask, data: TaskData, notes: [String]) {
        let files = ["t.yaml": Array((Self.head + lines).utf8), "t.jsonl": Array(rows.joined(separator: "\n").utf8)]
        return try withFiles(files) { folder in
            let (task, data) = try EvaluationTask.load(path: folder + "t.yaml", fewShot: fewShot)
            return (try EvaluationTask(canonicalJSON: task.canonicalJSON, data), data, task.configuration.notes)
        }
    }

    /// The first row decides whether targets are lists.
    @Test(arguments: [
        (["7", "[0, 1]"], "[0, 1]", 1.0), (["7", "[0, 1]"], "1", 0), (["['a', 'b']", "abc"], "b", 1),
        (["['a', 'b']", "abc"], "abc", 0), (["['a', 'b']", "['c', 'd']"], "d", 1), (["[]", "x"], "x", 1),
        (["[]", "['a']"], "a", 0), (["7", "8"], "8", 1),
    ])
    func theFirstRowSaysWhetherTargetsAreLists(targets: [String], answer: String, score: Double) throws {
        let rows = targets.map { "{\"q\": \"Q\", \"a\": \"\($0)\"}" }
        let (task, data, _) = try self.task("doc_to_target: '{{a}}'\noutput_type: generate_until\n", rows: rows)
        let row = try data.evaluated.document(at: 1).value
        #expect(try Answering.score(task, row, row: 1, texts: [answer]).value("exact_match") == score)
    }

    @Test func whereRowsDifferItIsSaidAndHashed() throws {
        let lines = "doc_to_target: '{{a}}'\noutput_type: generate_until\n"
        let row = { (target: String) in "{\"q\": \"Q\", \"a\": \"\(target)\"}" }
        let plain = try self.task(lines, rows: [row("7"), row("8")])
        let mixed = try self.task(lines, rows: [row("7"), row("[0, 1]")])
        let lists = try self.task(lines, rows: [row("[7]"), row("8")])
        #expect(plain.notes.isEmpty && plain.task.configuration.multipleTarget == nil)
        #expect(mixed.notes.contains { $0.contains("a list counts as a text (row 1)") })
        #expect(lists.notes.contains { $0.contains("characters (row 1)") })
        #expect(Set([plain, mixed, lists].map(\.task.taskHash)).count == 3)
        // A column of texts has no lists, whatever stands in them.
        let column = try self.task(
            "doc_to_target: a\noutput_type: generate_until\n", rows: [row("7"), row("[0, 1]")])
        #expect(column.notes.isEmpty && column.task.configuration.multipleTarget == nil)
    }

    /// numpy compares no number with a text, unless a text stands beside it.
    @Test(arguments: [
        ("[1, 2]", "1", 0.0), ("[1.0]", "1.0", 0), ("['x', 2]", "2", 1), ("['x', None]", "None", 0),
        ("['x', None]", "x", 1), ("['x', True]", "True", 1),
    ])
    func numbersInListsEqualNoText(target: String, answer: String, score: Double) throws {
        let (task, data, notes) = try self.task(
            "doc_to_target: '{{a}}'\noutput_type: generate_until\n", rows: ["{\"q\": \"Q\", \"a\": \"\(target)\"}"])
        let row = try data.evaluated.document(at: 0).value
        #expect(try Answering.score(task, row, texts: [answer]).value("exact_match") == score)
        #expect(notes.contains { $0.contains("which no answer can equal") } == !target.contains("'x'"))
    }

    @Test(arguments: [
        ("{Yes: A, No: B}", "Yes", "other"), ("{'Yes': A}", "Yes", "A"), ("{1: one}", "1", "other"),
        ("{\"\\u00e9\": A}", "e\u{301}", "other"), ("{\"\\u00e9\": A}", "\u{e9}", "A"),
    ])
    func keysOfAMapAreWhatYAMLMakesOfThem(map: String, text: String, mapped: String) throws {
        let task = try Answering.task(
            """
            filter_list:
              - {name: f, filter: [{function: map, mapping_dict: \(map), default_value: other}, {function: take_first}]}
            """)
        let row = JSONValue.object(["q": .string("Q"), "a": .string(mapped)])
        #expect(try Answering.score(task, row, texts: [text]).value("exact_match,f") == 1)
    }

    @Test func nobodyChangesThatThereAreNoExamples() throws {
        let rows = (0..<3).map { "{\"q\": \"Q\($0)\", \"a\": \"A\($0)\"}" }
        let lines = "doc_to_target: a\noutput_type: generate_until\n"
        let fixed = try self.task(lines + "num_fewshot: 0\n", rows: rows, fewShot: 1)
        #expect(try fixed.task.prepare(try fixed.data.evaluated.document(at: 0)).prompt == "Q0")
        #expect(fixed.notes.contains { $0.contains("num_fewshot 1 has no effect") })
        let free = try self.task(lines, rows: rows, fewShot: 1)
        #expect(try free.task.prepare(try free.data.evaluated.document(at: 0)).prompt.hasSuffix("\n\nQ0"))
        let none = try self.task(lines + "num_fewshot: 0\n", rows: rows, fewShot: 0)
        #expect(!none.notes.contains { $0.contains("has no effect") })
    }

    @Test func anExampleWhoseFirstAnswerIsEmptyHasOne() throws {
        let rows = [#"{"q": "1", "a": ["", "x"]}"#, #"{"q": "2", "a": ["z"]}"#]
        let (task, data, _) = try self.task(
            "doc_to_target: a\noutput_type: generate_until\nfewshot_config: {sampler: first_n}\n", rows: rows,
            fewShot: 1)
        #expect(try task.prepare(try data.evaluated.document(at: 1)).prompt == "1 \n\n2")
    }

    @Test func aColumnOfTextsIsNoListOfChoices() throws {
        let lines = "doc_to_target: 0\noutput_type: multiple_choice\n"
        let row = #"{"q": "Q", "c": "['x', 'y']"}"#
        let error = #expect(throws: TaskError.self) {
            let named = try self.task(lines + "doc_to_choice: c\n", rows: [row])
            _ = try named.task.prepare(try named.data.evaluated.document(at: 0))
        }
        #expect(error?.message.contains("({{column}})") == true)
        let template = try self.task(lines + "doc_to_choice: '{{c}}'\n", rows: [row])
        #expect(try template.task.prepare(try template.data.evaluated.document(at: 0)).choices == ["x", "y"])
    }

    /// lm-eval asks the task for its choices before it reads digits as a number.
    @Test func choicesOfExamplesAloneMakeNoNumbers() throws {
        let rows = [#"{"q": "q0", "a": 1}"#, #"{"q": "q1", "a": 0}"#]
        let (task, data, _) = try self.task(
            """
            doc_to_target: '{{a}}'
            output_type: generate_until
            fewshot_config: {sampler: first_n, doc_to_choice: ['k', 'm']}

            """, rows: rows, fewShot: 1)
        #expect(try task.prepare(try data.evaluated.document(at: 1)).prompt == "q0 1\n\nq1")
    }

    @Test func aColumnIsNamedByItsCodePoints() throws {
        let row = JSONValue.object(["e\u{301}": .string("x")])
        #expect(row["e\u{301}"] == .string("x") && row["\u{e9}"] == nil)
    }
}
