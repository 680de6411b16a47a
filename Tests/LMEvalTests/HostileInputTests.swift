import Foundation
import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Whatever a file holds, there is a clear error or a result, soon and in little memory.
@Suite(.timeLimit(.minutes(3))) struct HostileInputTests {
    private static func row(_ question: String) -> JSONValue {
        .object(["q": .string(question), "a": .string("x")])
    }

    @Test func rowsOfTenMegabytesAreRows() throws {
        let text = String(repeating: "word é ", count: 1_250_000)
        let data = try DataSet(jsonl: Array("{\"q\": \"\(text)\", \"a\": \"x\"}\n".utf8))
        let task = try Answering.task(
            """
            description: "{{q|length}}"
            metric_list: [{metric: exact_match, regexes_to_ignore: [',']}, {metric: bleu}, {metric: chrf}]
            filter_list: [{name: f, filter: [{function: regex, regex_pattern: '(\\d+) (\\w+)'}]}]
            """)
        let document = try data.document(at: 0)
        #expect(try task.prepare(document).prompt.utf8.count > text.utf8.count)
        let result = try Answering.score(task, document.value, texts: [text])
        #expect(result.isUnparsed && result.metrics.count == 3)
        // Ten million words in a list are more than a template may make.
        let splitting = try Answering.task("description: \"{{q.split()|length}}\"\n")
        let error = #expect(throws: TaskError.self) { try splitting.prepare(document) }
        #expect(error?.message.contains("row 0: description") == true)
    }

    /// Many rows that are all longer than a row may be end at the first one.
    @Test func longerRowsAreRefusedWithTheirLine() {
        let row = "{\"q\": \"\(String(repeating: "x", count: DataSet.Limit.rowBytes))\"}\n"
        let error = #expect(throws: TaskError.self) { try DataSet(jsonl: Array(("{\"q\": \"\"}\n" + row).utf8)) }
        #expect(error?.code == .limitExceeded && error?.line == 2)
    }

    @Test(
        arguments: [
            [0x7B, 0x22, 0x71, 0x22, 0x3A, 0x22, 0xFF, 0xFE, 0x22, 0x7D], [0x7B, 0x22, 0xC3, 0x22, 0x3A, 0x31, 0x7D],
            [0x7B, 0x22, 0x71, 0x22, 0x3A, 0x22, 0xED, 0xA0, 0x80, 0x22, 0x7D], [0xFF], [0x00],
        ] as [[UInt8]])
    func bytesThatAreNoTextAreRefused(bytes: [UInt8]) throws {
        let error = #expect(throws: TaskError.self) {
            let data = try DataSet(jsonl: Array("{\"q\": \"fine\"}\n".utf8) + bytes + [0x0A])
            _ = try data.document(at: 1)
        }
        #expect(error?.line == 2 || error?.message.contains("row 1") == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for i in range(1000000000) %}{% endfor %}", "{{ 'x' * 10000000000 }}",
        "{% set ns = namespace(t='ab') %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}",
        "{{ q.replace('', q).replace('', q).replace('', q).replace('', q) }}",
        "{{ range(5000) | map('string') | join(q) | replace('1', q) }}",
    ])
    func templatesThatNeverEndAreStopped(template: String) throws {
        let task = try Answering.task("description: \"\(template)\"\n")
        let row = Document(row: 3, value: Self.row(String(repeating: "1", count: 100_000)))
        let error = #expect(throws: TaskError.self) { try task.prepare(row) }
        #expect(error?.message.contains("row 3") == true || error?.message.contains("description") == true)
    }

    @Test func chatTemplatesThatNeverEndAreStopped() throws {
        for template in [
            "{% for i in range(1000000000) %}{% endfor %}",
            "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
            "{% for m in messages %}{{ (m.content * 100000) * 100000 }}{% endfor %}",
        ] {
            #expect(throws: TaskError.self) {
                let style = PromptStyle(
                    template: try JinjaChatTemplate(template, bos: "", eos: ""), isMultiTurn: true)
                _ = try Answering.task("").prepare(Document(row: 0, value: Self.row("Q")), style: style)
            }
        }
    }

    /// Patterns that backtrack exponentially, over texts of a megabyte.
    @Test(arguments: ["(a+)+$", "(a|aa)+$", "(.*a){30}x", "^(([a-z])+.)+[A-Z]([a-z])+$"])
    func regexesThatNeverEndAreStopped(pattern: String) throws {
        let task = try Answering.task(
            "filter_list: [{name: f, filter: [{function: regex, regex_pattern: '\(pattern)'}]}]")
        let text = String(repeating: "a", count: 1_000_000) + "!"
        do {
            let result = try Answering.score(task, Self.row("Q"), texts: [text])
            #expect(result.metrics.count == 1)
        } catch let error as TaskError {
            #expect(error.message.contains("a filter failed") && error.message.contains("row 0"), "\(error)")
        }
    }

    /// Functions that are built in take rows as they come.
    @Test func rowsOfOtherShapesAreRefused() throws {
        let rows: [JSONValue] = [
            .object([:]), .object(["prompt": .int(3), "kwargs": .null, "instruction_id_list": .string("x")]),
            .object([
                "prompt": .string("p"), "key": .int(1), "instruction_id_list": .array([.string("no:such")]),
                "kwargs": .array([.object([:])]),
            ]),
            .object([
                "prompt": .string("p"), "key": .int(1), "instruction_id_list": .array([.string("keywords:existence")]),
                "kwargs": .array([.object(["keywords": .array([.int(1)])])]),
            ]),
            .object(["answers": .object(["text": .array([.int(1)])])]),
        ]
        for name in BuiltinFunction.results.keys.sorted() {
            let compute = try #require(BuiltinFunction.results[name])
            for row in rows {
                // One of these shapes may be right for one function or other; none may crash.
                do throws(TaskError) {
                    _ = try compute(row, BuiltinAnswers(scores: [], texts: ["a", "b"]))
                } catch {
                    #expect(!error.message.isEmpty)
                }
            }
        }
    }

    @Test func fewShotDrawsAreBounded() throws {
        let rows = (0..<50).map { "{\"q\": \"\($0)\", \"a\": \"x\"}\n" }.joined()
        let data = try DataSet(jsonl: Array(rows.utf8))
        let yaml = """
            task: t
            dataset_path: json
            dataset_kwargs: {data_files: {test: t.jsonl}}
            test_split: test
            doc_to_text: q
            doc_to_target: a
            num_fewshot: 51
            """
        let error = #expect(throws: TaskError.self) {
            let task = try EvaluationTask(
                TaskConfiguration(yaml: yaml, file: "t.yaml"), TaskData(evaluated: data, fewShotPool: data))
            _ = try task.prepare(try data.document(at: 0))
        }
        #expect(error?.message.contains("51") == true, "\(String(describing: error))")
    }
}
