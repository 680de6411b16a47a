import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Document functions give what lm-evaluation-harness's Python functions give.
@Suite struct DocumentPortTests {
    /// Compares what a function gives, or that it throws, for each document.
    private func check(
        _ cases: JSONValue, count: Int = 15, _ function: (JSONValue) throws -> JSONValue?,
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(cases.items.count >= count, sourceLocation: location)
        for example in cases.items {
            let document = example[at: "document"]
            if example["error"] != nil {
                #expect(throws: TaskError.self, "\(document)", sourceLocation: location) { try function(document) }
                continue
            }
            #expect(throws: Never.self, "\(document)", sourceLocation: location) {
                let value = try function(document) ?? .null
                let expected = example[at: "value"]
                #expect(value.isExactly(expected), "\(value) is not \(expected)", sourceLocation: location)
            }
        }
    }

    @Test func hellaSwag() {
        self.check(PortFixture.value("hellaswag")) { .array([try HellaSwagPort.process($0)]) }
    }

    @Test func winogrande() {
        self.check(PortFixture.value("winogrande", "doc_to_text")) { try WinograndePort.answerIndex($0) }
        self.check(PortFixture.value("winogrande", "doc_to_target")) { try WinograndePort.target($0) }
        self.check(PortFixture.value("winogrande", "doc_to_choice")) { .strings(try WinograndePort.choices($0)) }
    }

    @Test(arguments: ["mmlu_pro", "mmlu-pro-plus"])
    func mmluPro(folder: String) throws {
        let documents = PortFixture.value("mmlu_pro", "documents").items
        #expect(documents.count >= 15)
        func cases(_ key: String) -> JSONValue {
            .array(
                zip(documents, PortFixture.value("mmlu_pro", folder, key).items).map { document, result in
                    (try? result.setting(["document": document])) ?? .null
                })
        }
        let prompt = folder == "mmlu_pro" ? MMLUProPort.prompt : MMLUProPort.plusPrompt
        self.check(cases("doc_to_text")) { .string(try prompt($0)) }
        self.check(cases("fewshot_to_text")) { .string(try prompt($0)) }
        self.check(cases("fewshot_to_target")) { try MMLUProPort.exampleTarget($0) }
        let kept = PortFixture.value("mmlu_pro", folder, "subjects").items
        for (subject, kept) in zip(["law", "computer science", "math"], kept) {
            let actual = try documents.map { try MMLUProPort.process($0, subject: subject) == nil ? 0 : 1 }
            #expect(actual == kept.items.map(\.integer))
        }
    }

    @Test func truthfulQA() {
        self.check(PortFixture.value("truthfulqa", "documents")) { .array([try TruthfulQAPort.processGeneration($0)]) }
    }

    @Test func wikiText() throws {
        self.check(PortFixture.value("wikitext")) { .string(try WikiTextPort.detokenized($0)) }
        for example in PortFixture.value("wikitext").items {
            let results = try WikiTextPort.results(example[at: "document"], logLikelihood: -12.5)
            #expect(results.map(\.name) == example[at: "results"].items.map { $0[0].text })
            #expect(results.map(\.value) == example[at: "results"].items.map { $0[1].number })
            #expect(results.map(\.weight) == example[at: "results"].items.map { $0[2].number })
        }
    }

    @Test func drop() {
        self.check(PortFixture.value("drop", "documents")) { .array([try DropPort.process($0)]) }
    }

    @Test func humanEval() throws {
        let cases = PortFixture.value("humaneval", "cases").items
        #expect(cases.count >= 15)
        for example in cases {
            let (document, responses) = (example[at: "document"], example[at: "responses"].texts)
            let plain = try HumanEvalPort.predictions(responses, document: document)
            #expect(JSONValue.strings(plain).isExactly(example[at: "plain"]))
            let instruct = try HumanEvalPort.instructPredictions(responses, document: document)
            #expect(JSONValue.strings(instruct).isExactly(example[at: "instruct"]))
        }
    }

    /// Every function says which column is wrong, and nothing crashes.
    @Test func wrongColumnsAreErrors() throws {
        let functions: [(String, (JSONValue) throws -> Any?)] = [
            ("hellaswag", { try HellaSwagPort.process($0) }), ("winogrande", { try WinograndePort.answerIndex($0) }),
            ("winogrande", { try WinograndePort.target($0) }), ("winogrande", { try WinograndePort.choices($0) }),
            ("mmlu", { try MMLUProPort.prompt($0) }), ("mmlu", { try MMLUProPort.plusPrompt($0) }),
            ("mmlu", { try MMLUProPort.exampleTarget($0) }), ("mmlu", { try MMLUProPort.process($0, subject: "") }),
            ("truthfulqa", { try TruthfulQAPort.processGeneration($0) }),
            ("truthfulqa", { try TruthfulQAPort.mc2Results($0, []) }),
            ("truthfulqa", { try TruthfulQAPort.generationResults($0, [""]) { _, _ in 0 } }),
            ("wikitext", { try WikiTextPort.detokenized($0) }),
            ("wikitext", { try WikiTextPort.results($0, logLikelihood: 0) }), ("drop", { try DropPort.process($0) }),
            ("drop", { try DropPort.results($0, [""]) }),
            ("humaneval", { try HumanEvalPort.predictions([""], document: $0) }),
            ("squad", { try SQuAD2Port.prompt($0) }), ("squad", { try SQuAD2Port.target($0) }),
            (
                "squad",
                { try SQuAD2Port.results($0, BuiltinAnswers(scores: [(logProb: 0, isGreedy: false)], texts: [""])) }
            ),
            ("squad", { try SquadCompletionPort.prompt($0) }), ("squad", { try SquadCompletionPort.results($0, []) }),
            ("bbh", { try WordSortFilter.apply([""], document: $0) }),
            ("bbh", { try MultiChoiceRegexFilter(.init(), choices: .input).apply([""], document: $0) }),
            ("mmlu", { try MultiChoiceRegexFilter(.init(), choices: .column).apply([""], document: $0) }),
        ]
        let columns = [
            "ctx_a", "ctx_b", "endings", "activity_label", "label", "answer", "sentence", "option1", "option2",
            "category", "question", "options", "cot_content", "mc2_targets", "correct_answers", "incorrect_answers",
            "page", "query_id", "passage", "validated_answers", "answers", "problem", "solution", "prompt", "id",
            "title", "context", "text", "value", "input", "choices",
        ]
        let values: [JSONValue] = [
            .null, .bool(true), .int(7), .double(0.5), .array([.null]), .array([.array([])]), .object([:]),
            .object(["text": .int(1), "labels": .null, "number": .string(""), "spans": .array([]), "date": .null]),
        ]
        for (name, function) in functions {
            for document in [JSONValue.null, .array([]), .object([:])] {
                let error = #expect(throws: TaskError.self, "\(name)") { _ = try function(document) }
                #expect(error?.message.contains("the column ") == true, "\(name)")
            }
            for value in values {
                let document = JSONValue.object(.init(uniqueKeysWithValues: columns.map { ($0, value) }))
                do { _ = try function(document) } catch {
                    #expect((error as? TaskError)?.code == .invalidSample, "\(name)")
                }
            }
        }
    }
}
