import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// The task ifeval gives what lm-evaluation-harness's Python functions give.
@Suite struct IFEvalTests {
    private static let metrics = [
        "prompt_level_strict_acc", "inst_level_strict_acc", "prompt_level_loose_acc", "inst_level_loose_acc",
    ]

    private func document(_ ids: JSONValue, _ kwargs: JSONValue) -> JSONValue {
        .object(["key": .int(1), "prompt": .string("Do it."), "instruction_id_list": ids, "kwargs": kwargs])
    }

    @Test func results() throws {
        let cases = IFEvalFixture.cases("cases")
        #expect(cases.count > 900)
        for example in cases {
            let document = self.document(example[at: "ids"], example[at: "kwargs"])
            let responses = [example[at: "response"].text]
            if example["error"] != nil {
                #expect(throws: TaskError.self, "\(document)") { try IFEvalPort.results(document, responses) }
                continue
            }
            #expect(throws: Never.self, "\(document)") {
                let results = try IFEvalPort.results(document, responses)
                #expect(results.map(\.name) == Self.metrics)
                for result in results {
                    let expected = example[at: "results"][at: result.name]
                    switch expected {
                    case .bool(let flag):
                        #expect(result.value == (flag ? 1 : 0) && result.weight == 1, "\(result.name) \(example)")
                    default:
                        #expect(
                            result.value == expected[0].number && result.weight == expected[1].number,
                            "\(result.name) \(example)")
                    }
                }
            }
        }
    }

    /// Each instruction is followed in some cases, and not followed in others.
    @Test func everyInstructionIsThere() {
        var outcomes: [String: Set<Double>] = [:]
        for example in IFEvalFixture.cases("cases") where example[at: "ids"].items.count == 1 {
            outcomes[example[at: "ids"][0].text, default: []].insert(
                example[at: "results"][at: "inst_level_strict_acc"][0].number)
        }
        #expect(outcomes.count { $0.value.isSuperset(of: [0, 1]) } == 25)
    }

    /// Arguments that lm-eval would draw at random, or that are of another kind, are named.
    @Test func wrongColumnsAreErrors() throws {
        for document in [JSONValue.null, .array([]), .object([:]), .object(["instruction_id_list": .array([])])] {
            let error = #expect(throws: TaskError.self) { try IFEvalPort.results(document, ["a"]) }
            #expect(error?.message.contains("the column ") == true)
        }
        #expect(throws: TaskError.self) {
            try IFEvalPort.results(self.document(.array([]), .array([])), [])
        }
        let ids = Set(IFEvalFixture.cases("cases").flatMap { $0[at: "ids"].texts })
        let keys = Set(
            IFEvalFixture.cases("cases").flatMap { example -> [String] in
                example[at: "kwargs"].items.flatMap { item -> [String] in
                    guard case .object(let members) = item else { return [] }
                    return Array(members.keys)
                }
            })
        let values: [JSONValue] = [
            .null, .bool(true), .int(7), .int(-7), .int(.max), .double(0.5), .double(1e300), .string(""), .string("x"),
            .array([]), .array([.null]), .array([.string("")]), .array([.array([])]), .object([:]),
        ]
        for id in ids {
            for value in values {
                let arguments = JSONValue.object(.init(uniqueKeysWithValues: keys.sorted().map { ($0, value) }))
                for arguments in [arguments, value] {
                    let document = self.document(.strings([id]), .array([arguments]))
                    do { _ = try IFEvalPort.results(document, ["a\nb"]) } catch {
                        #expect(error.code == .invalidSample, "\(id)")
                        #expect(error.message.contains("the column "), "\(id)")
                    }
                }
            }
        }
        let missing = self.document(
            .strings(["length_constraints:number_words"]), .array([.object(["relation": .string("at least")])]))
        let error = #expect(throws: TaskError.self) { try IFEvalPort.results(missing, ["a"]) }
        #expect(error?.message == "the column kwargs[0].num_words must be a number, but it is missing")
    }

    /// Long responses take a time that grows with their length only.
    @Test(.timeLimit(.minutes(1)), arguments: ["*", "[", "<", ".", " ", "\n", "'", "-", "a@", "?! ", "\"", "A. "])
    func longResponses(part: String) throws {
        let response = String(repeating: part, count: 10_000)
        for example in IFEvalFixture.cases("cases").suffix(250) where example["error"] == nil {
            guard example[at: "ids"].items.count > 1 else { continue }
            _ = try IFEvalPort.results(self.document(example[at: "ids"], example[at: "kwargs"]), [response])
            break
        }
        for (id, arguments) in [
            "detectable_content:number_placeholders": ["num_placeholders": JSONValue.int(3)],
            "detectable_format:number_bullet_lists": ["num_bullets": .int(3)],
            "detectable_format:number_highlighted_sections": ["num_highlights": .int(3)],
            "detectable_format:title": [:], "detectable_format:json_format": [:],
            "detectable_content:postscript": ["postscript_marker": .string("P.S.")],
            "length_constraints:number_sentences": ["num_sentences": .int(3), "relation": .string("less than")],
            "change_case:capital_word_frequency": [
                "capital_frequency": .int(3), "capital_relation": .string("less than"),
            ],
            "length_constraints:number_paragraphs": ["num_paragraphs": .int(3)],
        ] as [String: OrderedDictionary<String, JSONValue>] {
            _ = try IFEvalPort.results(self.document(.strings([id]), .array([.object(arguments)])), [response])
        }
    }
}
