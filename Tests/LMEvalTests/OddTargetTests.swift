import Foundation
import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

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

    private static let choices = "doc_to_choice: ['a', 'b']\noutput_type: multiple_choice\ndoc_to_target: a\n"

    /// The first row decides whether the choices are contexts.
    @Test func theFirstRowSaysWhetherChoicesAreContexts() throws {
        let row = { (text: String) in "{\"q\": \"\(text)\", \"a\": 0}" }
        let lines = Self.choices + "doc_to_text: '{{q}}'\n"
        let numbers = try self.task(lines, rows: [row("1"), row("0"), row("b"), row("c")])
        #expect(numbers.task.configuration.multipleInput == true)
        func golds(_ number: Int) throws -> [Int] {
            try numbers.task.prepare(try numbers.data.evaluated.document(at: number)).golds
        }
        #expect(try golds(0) == [1] && golds(1) == [0] && golds(2) == [1])
        let none = #expect(throws: TaskError.self) { try golds(3) }
        #expect(none?.message.contains("not one of the choices, and in the first row the number of one") == true)

        // lm-eval stops at a later row of digits; it is no number of a choice.
        let texts = try self.task(lines, rows: [row("x"), row("1")])
        #expect(texts.task.configuration.multipleInput == nil)
        let digits = #expect(throws: TaskError.self) {
            try texts.task.prepare(try texts.data.evaluated.document(at: 1))
        }
        #expect(digits?.message.contains("row 1: doc_to_text gives 1, a choice's number") == true)
        let said = try self.task(lines + "multiple_input: false\n", rows: [row("1"), row("0")])
        let sample = try said.task.prepare(try said.data.evaluated.document(at: 0))
        #expect(sample.prompt == "1" && sample.golds == [0])
        #expect(Set([numbers, texts, said].map(\.task.taskHash)).count == 3)
    }

    @Test func aColumnOfTextsIsNoNumberOfAChoice() throws {
        let (task, data, _) = try self.task(
            Self.choices, rows: ["x", "1"].map { "{\"q\": \"\($0)\", \"a\": 1}" })
        let sample = try task.prepare(try data.evaluated.document(at: 1))
        #expect(sample.prompt == "1" && sample.golds == [1])
    }

    /// lm-eval makes of a target what the answer is, `type(result)(gold)`, and compares values otherwise.
    @Test(arguments: [
        // One answer and one target.
        ("map: {x: 1, y: 0}", "a", "1.0; null", "x", 1.0), ("map: {x: 1, y: 0}", "a", "1.0; null", "y", 0),
        ("map: {x: 1, y: 0}", "a", "1.5; null", "x", 1), ("map: {x: 1}", "a", "'1'", "x", 1),
        ("map: {x: 1.0}", "a", "1", "x", 1), ("map: {x: 1.5}", "a", "'1.5'", "x", 1),
        ("map: {x: true}", "a", "1", "x", 1), ("map: {x: false}", "a", "0", "x", 1),
        ("map: {x: true}", "a", "true", "x", 1), ("map: {x: false}", "a", "true", "x", 0),
        ("map: {x: '1'}", "a", "1.0; null", "x", 0), ("map: {x: '1.0'}", "a", "1.0; null", "x", 1),
        // What a template gives is a text, and bool("False") is true.
        ("map: {x: true}", "'{{a}}'", "false", "x", 1), ("map: {x: false}", "'{{a}}'", "false", "x", 0),
        ("map: {x: true}", "a", "'0'", "x", 1), ("map: {x: false}", "a", "''", "x", 1),
        // Several targets, and choices, keep their types.
        ("map: {x: 1}", "a", "[1, 2]", "x", 1), ("map: {x: 3}", "a", "[1, 2]", "x", 0),
        ("map: {x: 1}", "a", "['1', '2']", "x", 0), ("map: {x: '1'}", "a", "['1', '2']", "x", 1),
        ("map: {x: 1.0}", "a", "[1, 2]", "x", 1), ("map: {x: true}", "a", "[1, 2]", "x", 1),
        // Filters of texts take numbers for empty texts.
        ("map: {x: 1}; regex: '(\\d)'", "a", "1", "x", 0), ("map: {x: 1}; map: {'1': y}", "a", "'y'", "x", 0),
        // A list of answers is left where take_first does not end it; then the target keeps its type, too.
        ("lowercase: -", "a", "3", "3", 0), ("lowercase: -", "a", "'3'", "3", 1), ("take_first_k: 1", "a", "3", "3", 0),
        ("majority_vote: -", "a", "3", "3", 0), ("map: {x: 3}; lowercase: -", "a", "3", "x", 0),
        ("map: {x: 3}; majority_vote: -", "a", "3", "x", 1),
        ("map: {x: 3}; majority_vote: -", "a", "3.0; null", "x", 1),
        ("map: {x: 3}; majority_vote: -", "a", "'3'", "x", 0),
    ])
    func targetsAreComparedAsInPython(
        filters: String, target: String, rows: String, text: String, score: Double
    ) throws {
        var steps: [String] = []
        for filter in filters.split(separator: "; ") {
            let parts = filter.split(separator: ": ", maxSplits: 1)
            let keys = ["map": "mapping_dict", "regex": "regex_pattern", "take_first_k": "k"]
            let argument = keys[String(parts[0])].map { ", \($0): \(parts[1])" } ?? ""
            steps.append("{function: \(parts[0])\(argument)}")
        }
        if filters.split(separator: "; ").allSatisfy({ $0.hasPrefix("map") || $0.hasPrefix("regex") }) {
            steps.append("{function: take_first}")
        }
        let lines = """
            doc_to_target: \(target)
            output_type: generate_until
            filter_list: [{name: f, filter: [\(steps.joined(separator: ", "))]}]

            """
        let values = rows.replacing("'", with: "\"").split(separator: "; ")
        let (task, data, _) = try self.task(lines, rows: values.map { "{\"q\": \"Q\", \"a\": \($0)}" })
        let row = try data.evaluated.document(at: 0).value
        #expect(try Answering.score(task, row, texts: [text]).value("exact_match,f") == score)
    }

    @Test(arguments: [("3", "lowercase", true), ("'3'", "lowercase", false), ("3", "take_first", false)])
    func numbersBesideListsOfTextsAreNoted(target: String, last: String, isNoted: Bool) throws {
        let row = "{\"q\": \"Q\", \"a\": \(target.replacing("'", with: "\""))}"
        let (_, _, notes) = try self.task(
            "doc_to_target: a\noutput_type: generate_until\nfilter_list: [{name: f, filter: [{function: \(last)}]}]\n",
            rows: [row])
        #expect(notes.contains { $0.contains("the filter f leaves") } == isNoted)
    }

    @Test func choicesEqualNoNumbers() throws {
        let lines = """
            doc_to_target: 0
            doc_to_choice: ['1', '2']
            output_type: generate_until
            filter_list: [{name: f, filter: [{function: map, mapping_dict: {x: 1, y: '1'}}, {function: take_first}]}]

            """
        let (task, data, _) = try self.task(lines, rows: ["{\"q\": \"Q\"}"])
        let row = try data.evaluated.document(at: 0).value
        #expect(try Answering.score(task, row, texts: ["x"]).value("exact_match,f") == 0)
        #expect(try Answering.score(task, row, texts: ["y"]).value("exact_match,f") == 1)
    }

    /// lm-eval goes through the characters of a text.
    @Test func aTextToIgnoreIsItsCharacters() throws {
        let task = try Answering.task(
            "metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true, regexes_to_ignore: ' is'}]")
        let row = JSONValue.object(["q": .string("Q"), "a": .string("Par")])
        #expect(try Answering.score(task, row, texts: [" Paris"]).value("exact_match") == 1)
        #expect(try Answering.score(task, row, texts: ["Parish"]).value("exact_match") == 0)
    }

    @Test func aKeyOfExamplesWithoutValueTakesAwayTheTasks() throws {
        let rows = ["{\"q\": \"Q\", \"a\": \"A\"}"]
        func prompt(_ lines: String) throws -> String {
            let (task, data, _) = try self.task(
                "doc_to_target: a\noutput_type: generate_until\ngen_prefix: 'Say:'\n" + lines, rows: rows, fewShot: 1)
            return try task.prepare(try data.evaluated.document(at: 0)).prompt
        }
        let sample = "sampler: first_n, samples: [{q: S, a: T}]"
        #expect(try prompt("fewshot_config: {\(sample)}\n") == "S Say: T\n\nQ Say:")
        #expect(try prompt("fewshot_config: {gen_prefix: null, \(sample)}\n") == "S T\n\nQ Say:")
        #expect(try prompt("fewshot_split: dev\nfewshot_config: {split: null, \(sample)}\n") == "S Say: T\n\nQ Say:")
        for key in ["target_delimiter", "fewshot_delimiter", "doc_to_choice"] {
            let error = #expect(throws: TaskError.self) { try prompt("fewshot_config: {\(key): null, \(sample)}\n") }
            #expect(error?.message.contains("\(key) without a value") == true)
        }
    }

    @Test(arguments: [
        ("samples: [{c: u, a: T}]", "few-shot example 0 has no column q, which doc_to_text names"),
        ("samples: [{q: S}]", "few-shot example 0 has no column a, which doc_to_target names"),
        ("doc_to_text: x, samples: [{q: S, x: X, a: T}]", "write {{x}}"),
        ("samples: [{q: {k: {3: b}}, a: T}]", "the key 3 of a sample is no text"),
        ("samples: [{q: S, a: T, yes: 1}]", "put it in quotes"),
    ])
    func examplesHaveTheColumnsOfTheRows(lines: String, hint: String) throws {
        let rows = ["{\"q\": \"Q\", \"a\": \"A\"}"]
        let error = #expect(throws: TaskError.self) {
            try self.task(
                "doc_to_target: a\noutput_type: generate_until\nfewshot_config: {sampler: first_n, \(lines)}\n",
                rows: rows,
                fewShot: 1)
        }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test func datesOfListedSamplesAreDates() throws {
        let task = try Answering.task(
            """
            num_fewshot: 1
            fewshot_config: {samples: [{q: 2024-02-29, a: 2001-12-14 21:59:43.5}], doc_to_text: '{{q.year + 1}}', \
            doc_to_target: '{{a.minute}}', sampler: first_n}
            """.replacing("\\\n", with: ""))
        let row = JSONValue.object(["q": .string("Q"), "a": .string("A")])
        #expect(try task.prepare(Document(row: 0, value: row)).prompt == "2025 59\n\nQ")
    }

    @Test func aColumnIsNamedByItsCodePoints() throws {
        let row = JSONValue.object(["e\u{301}": .string("x")])
        #expect(row["e\u{301}"] == .string("x") && row["\u{e9}"] == nil)
    }
}
