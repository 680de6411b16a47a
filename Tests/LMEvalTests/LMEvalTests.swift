import OrderedCollections
import PythonCompat
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval
@testable import ScoreMetrics

/// Prompts, tokens and scores equal those of lm-evaluation-harness.
@Suite struct LMEvalTests {
    @Test(arguments: ["choices", "columns", "own-split", "words", "rolling", "filters"])
    func promptsAndScoresAreEqual(name: String) throws {
        let (loaded, data) = try EvaluationTask.load(path: Fixture.folder + name + ".yaml")
        let dataSet = data.evaluated
        // What a worker gets.
        let task = try EvaluationTask(canonicalJSON: loaded.canonicalJSON, data)
        #expect(task.taskHash == loaded.taskHash)
        let expected = try #require(Fixture.expected["tasks"]?[name]?.items)
        #expect(expected.count == dataSet.rowCount)
        for (row, expected) in expected.enumerated() {
            let sample = try task.prepare(try dataSet.document(at: row))
            #expect(sample.requests.map(Self.arguments) == expected["requests"]?.items.map { $0.items.map(\.string) })
            let answer = try #require(Fixture.answers[name]?[row])
            let (requests, responses) = Self.answered(sample, answer)
            let result = try task.score(sample, requests: requests, responses: responses, logitsMode: .none)
            let scores = try #require(expected["scores"])
            #expect(result.metrics.map(\.name) == task.metrics.map(\.name))
            guard case .object(let members) = scores else { return }
            #expect(Set(result.metrics.map(\.name)) == Set(members.keys))
            for metric in result.metrics {
                #expect(metric.value == scores[metric.name]?[0].number, "\(metric.name), row \(row)")
                #expect(metric.weight == scores[metric.name]?[1].number, "\(metric.name), row \(row)")
            }
        }
    }

    private static func arguments(_ request: Request) -> [String?] {
        switch request {
        case .loglikelihood(let context, let continuation): [context, continuation]
        case .rolling(let text): [text]
        case .generate(let prompt, _, _, _, _): [prompt]
        }
    }

    /// Requests of one token each and answers to them; greedy is what is above -3, as in make.py.
    private static func answered(
        _ sample: PreparedSample, _ answer: JSONValue
    ) -> (requests: [[EngineRequest]], responses: [[EngineResponse]]) {
        let values = answer.items.isEmpty ? [answer] : answer.items
        let responses = zip(sample.requests, values).map { request, value in
            if case .generate = request {
                let text = value.string ?? ""
                return EngineResponse.generation(
                    Generation(tokens: [], tokenLogProbs: [], text: text, finishReason: .stop))
            }
            return .score(ScoredContinuation(tokenLogProbs: [Float(value.number)], isGreedy: value.number > -3))
        }
        let requests = sample.requests.map { request in
            if case .generate(_, let stop, let maxTokens, _, _) = request {
                return EngineRequest.generate(GenerationRequest(prompt: [1], stop: stop, maxTokens: maxTokens))
            }
            return .score(ScoringRequest(tokens: [1, 2], scoredFrom: 1))
        }
        return (requests.map { [$0] }, responses.map { [$0] })
    }

    @Test func pairsAreTokenizedEqually() throws {
        let cases = Fixture.cases("tokenized")
        #expect(cases.count > 30)
        for example in cases {
            let request = Request.loglikelihood(
                context: example["context"]?.string ?? "?", continuation: example["continuation"]?.string ?? "?")
            let tokenizer = ToyTokenizer(addsPrefix: example["adds_prefix"] == .bool(true))
            let length = try #require(example["length"]).integer
            let tokenized = try request.tokenized(by: tokenizer, maxLength: length)
            let tokens = try #require(example["tokens"]).items.map { Int32($0.integer) }
            guard tokenized.count == 1, case .score(let score) = tokenized[0] else {
                Issue.record("no request for \(example)")
                continue
            }
            #expect(score.tokens == tokens, "\(example)")
            #expect(score.tokens.count - score.scoredFrom == example["scored"]?.integer, "\(example)")
        }
    }

    @Test func windowsAreEqual() throws {
        let cases = Fixture.cases("windows")
        #expect(cases.count > 100)
        for example in cases {
            let count = try #require(example["count"]).integer
            let text = String(String.UnicodeScalarView((0..<count).compactMap { Unicode.Scalar(UInt32(100 + $0)) }))
            let windows = try Request.rolling(text: text).tokenized(
                by: ScalarTokenizer(), maxLength: try #require(example["length"]).integer)
            let expected = try #require(example["windows"]).items
            #expect(windows.count == expected.count, "\(example)")
            for (window, expected) in zip(windows, expected) {
                guard case .score(let score) = window else { continue }
                #expect(score.tokens.count - score.scoredFrom == expected["scored"]?.integer, "\(example)")
                #expect(score.tokens == expected["tokens"]?.items.map { Int32($0.integer) }, "\(example)")
            }
        }
    }

    @Test func regularExpressionsAreEqual() throws {
        let cases = Fixture.cases("regexes")
        #expect(cases.count > 700)
        for example in cases {
            let regex = try PythonRegex(example["pattern"]?.string ?? "")
            let text = example["text"]?.string ?? ""
            let found = example["found"]?.items.map { $0.items.map { $0.string ?? "?" } }
            let actual = try regex.findAll(text)
            #expect(actual == found, "\(regex.pattern) in \(text.debugDescription)")
            #expect(
                try regex.removingMatches(from: text) == example["removed"]?.string, "\(regex.pattern) from \(text)")
        }
    }

    @Test func templatesAreEqual() throws {
        let templates = try #require(Fixture.expected["templates"])
        let document = Document(row: 0, value: templates["document"] ?? .null)
        let cases = templates["cases"]?.items ?? []
        #expect(cases.count > 35)
        for example in cases {
            let field = try DocumentField(example["template"]?.string ?? "", key: "test")
            let value = try field.value(RenderedDocument(document))
            #expect(value == example["expected"], "\(example["template"] ?? .null)")
        }
    }

    @Test func exactMatchesAreEqual() throws {
        let cases = Fixture.cases("exact_matches")
        #expect(cases.count > 50)
        for example in cases {
            let options = example["options"]
            let metric = try ExactMatch(
                ExactMatchNormalization(
                    regexesToIgnore: options?["regexes_to_ignore"]?.items.compactMap(\.string) ?? [],
                    ignoreCase: options?["ignore_case"] != nil,
                    ignorePunctuation: options?["ignore_punctuation"] != nil,
                    ignoreNumbers: options?["ignore_numbers"] != nil))
            let matches = try metric.matches(example["prediction"]?.string ?? "?", example["target"]?.string ?? "?")
            #expect((matches ? 1 : 0) == example["score"]?.number, "\(example)")
        }
    }

    @Test func aggregationsAreEqual() throws {
        let expected = try #require(Fixture.expected["aggregations"])
        let values = try #require(expected["values"]).items.map(\.number)
        let weights = try #require(expected["weights"]).items.map(\.number)
        for aggregation in [Aggregation.perplexity, .weightedPerplexity, .bitsPerByte] {
            let wanted = try #require(expected[aggregation.rawValue]).number
            let column = try #require(MetricColumn(aggregation, values: values, weights: weights))
            #expect(abs(column.score / wanted - 1) < 1e-14)
        }
        #expect(MetricColumn(.mean, values: [1, 0, 0, 1], weights: [1, 1, 1, 1])?.score == 0.5)
        #expect(MetricColumn(.mean, values: [], weights: [])?.score.isNaN == true)
        #expect(MetricColumn(.mean, values: [1], weights: []) == nil)
    }
}

/// One token for each code point: its number.
private struct ScalarTokenizer: Tokenizer {
    let prefixToken: Int32? = 1

    var beginning: String? { nil }

    func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) -> [Int32] {
        text.unicodeScalars.map { Int32($0.value) }
    }
}
