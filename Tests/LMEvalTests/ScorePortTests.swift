import OrderedCollections
import PythonCompat
import Testing

@testable import Evaluation
@testable import JSON
@testable import LMEval
@testable import ScoreMetrics

/// Scores are those of lm-evaluation-harness's Python functions.
@Suite struct ScorePortTests {
    private func check(_ results: [(name: String, value: Double)], _ expected: JSONValue, _ comment: Comment) {
        #expect(results.map(\.name) == expected.items.map { $0[0].text })
        for (result, expected) in zip(results, expected.items) {
            #expect(isClose(result.value, expected[1].number), "\(result.name): \(comment)")
        }
    }

    @Test func truthfulQAChoices() throws {
        let cases = PortFixture.value("truthfulqa", "mc2").items
        #expect(cases.count >= 15)
        for example in cases {
            let responses = example[at: "log_probs"].items.map { (logProb: $0.number, isGreedy: false) }
            let results = try TruthfulQAPort.mc2Results(example[at: "document"], responses)
            #expect(results.map(\.name) == ["acc"] && isClose(results[0].value, example[at: "value"].number))
            #expect(throws: TaskError.self) {
                try TruthfulQAPort.mc2Results(example[at: "document"], responses + responses)
            }
        }
    }

    @Test func truthfulQAGeneration() throws {
        let cases = PortFixture.value("truthfulqa", "gen").items
        #expect(cases.count >= 15)
        for example in cases {
            let (document, completion) = (example[at: "document"], example[at: "completion"].text)
            let references = document[at: "correct_answers"].texts + document[at: "incorrect_answers"].texts
            let scores = example[at: "bleus"].items.map(\.number)
            let bleu = { (prediction: String, reference: [String]) -> Double in
                #expect(prediction == completion)
                return references.firstIndex(of: reference.first ?? "").map { scores[$0] } ?? .nan
            }
            if example["error"] != nil {
                #expect(throws: TaskError.self) {
                    try TruthfulQAPort.generationResults(document, [completion], bleu: bleu)
                }
            } else {
                let results = try TruthfulQAPort.generationResults(document, [completion], bleu: bleu)
                self.check(results, example[at: "value"], "\(document)")
            }
        }
    }

    /// Texts that would take quadratic time with the patterns of lm-eval, or too much of it here.
    @Test(.timeLimit(.minutes(1))) func hugeTextsAreNoTrouble() throws {
        let text = String(repeating: "a\n", count: 6000)
        #expect(throws: TaskError.self) { try RougeScore(target: text, prediction: text) }
        let brackets = String(repeating: "([{'\"", count: 50_000)
        let page = JSONValue.object(["page": .string(brackets)])
        #expect(try WikiTextPort.detokenized(page) == brackets)
        let document = JSONValue.object([
            "ctx_a": .string(brackets), "ctx_b": .string(""), "activity_label": .string(""), "endings": .array([]),
            "label": .int(0),
        ])
        #expect(try HellaSwagPort.process(document)["query"]?.string == ": \(brackets)")
    }

    @Test func drop() throws {
        let cases = PortFixture.value("drop", "scored").items
        #expect(cases.count >= 15)
        for example in cases {
            let results = try DropPort.results(example[at: "document"], example[at: "responses"].texts)
            self.check(results, example[at: "value"], "\(example)")
        }
        for pair in PortFixture.value("drop", "normalized").items {
            #expect(PythonText.equal(DropText.normalized(pair[0].text), pair[1].text), "\(pair)")
        }
    }

    @Test func squadCompletion() throws {
        let cases = PortFixture.value("squad", "completion").items
        #expect(cases.count >= 15)
        for example in cases {
            let document = example[at: "document"]
            #expect(PythonText.equal(try SquadCompletionPort.prompt(document), example[at: "prompt"].text))
            #expect(try SquadCompletionPort.target(document).isExactly(example[at: "target"]))
            let results = try SquadCompletionPort.results(document, [example[at: "response"].text])
            #expect(results.map(\.name) == ["contains"])
            #expect(results[0].value == example[at: "contains"].number, "\(example)")
        }
    }

    @Test func squadVersion2() throws {
        let groups = PortFixture.value("squad", "version2").items
        #expect(groups.count >= 15)
        for group in groups {
            // Of several rows with one id the metric takes the last; Assay refuses such data.
            var samples: OrderedDictionary<String, [BuiltinResult]> = [:]
            for example in group[at: "cases"].items {
                let document = example[at: "document"]
                #expect(PythonText.equal(try SQuAD2Port.prompt(document), example[at: "prompt"].text))
                #expect(try SQuAD2Port.target(document).isExactly(example[at: "target"]))
                samples[document[at: "id"].text] = try SQuAD2Port.results(
                    document,
                    BuiltinAnswers(
                        scores: [(logProb: example[at: "log_prob"].number, isGreedy: false)],
                        texts: [example[at: "continuation"].text]))
            }
            for expected in group[at: "value"].items {
                let name = expected[0].text
                let results = try samples.values.map { try #require($0.first { $0.name == name }) }
                let aggregation: Aggregation =
                    name.hasPrefix("best") ? .bestThreshold : name.contains("Ans_") ? .weightedMean : .mean
                let column = MetricColumn(
                    aggregation, values: results.map(\.value), weights: results.map(\.weight),
                    terms: results.flatMap(\.terms))
                #expect(isClose(try #require(column).score, expected[1].number), "\(name): \(group)")
            }
        }
    }

    @Test func squadAnswers() {
        let pairs = PortFixture.value("squad", "pairs").items
        #expect(pairs.count >= 15)
        for pair in pairs {
            let (prediction, gold) = (pair[0].text, pair[1].text)
            #expect(PythonText.equal(SquadAnswer.normalized(prediction), pair[2].text), "\(pair)")
            #expect(SquadAnswer.exact(prediction, gold: gold) == pair[3].number, "\(pair)")
            #expect(isClose(SquadAnswer.f1(prediction, gold: gold), pair[4].number), "\(pair)")
            #expect(isClose(SquadAnswer.f1OfVersion1(prediction, gold: gold), pair[5].number), "\(pair)")
        }
    }

    @Test func passAtK() {
        let cases = PortFixture.value("humaneval", "passes").items
        #expect(cases.count >= 15)
        for example in cases {
            let (samples, correct, count) = (example[0].integer, example[1].integer, example[2].integer)
            let estimate = TextComparison.passAt(count, of: samples, right: correct)
            #expect(isClose(estimate ?? .nan, example[3].number), "\(example)")
        }
    }
}
