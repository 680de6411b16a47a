import Testing

@testable import ConfigFile
@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Prompts equal those of lm-evaluation-harness, byte for byte, for its own tasks; Fixtures/lm-eval/prompts.py asked it.
@Suite struct PromptTests {
    static let fixture = Fixture.read("prompts.json")
    static let names = Self.fixture["cases"]?.items.compactMap { $0["name"]?.string } ?? []

    @Test func thereAreTasksOfEveryKind() throws {
        let cases = Self.fixture["cases"]?.items ?? []
        #expect(cases.count >= 30)
        let kinds = Set(cases.compactMap { $0["config"]?["output_type"]?.string })
        #expect(kinds == Set(OutputType.allCases.map(\.rawValue)))
    }

    @Test(arguments: names) func areThoseOfLMEval(name: String) throws {
        let item = try #require(Self.fixture["cases"]?.items.first { $0["name"]?.string == name })
        let strings = try #require(Self.fixture["strings"]?.items.map(\.string))
        let config = try #require(item["config"])
        for variant in item["variants"]?.items ?? [] {
            let (task, data) = try Self.task(item, config, shots: try #require(variant["shots"]).integer)
            let style = try Self.style(variant["chat"]?.string)
            for (row, expected) in try #require(variant["requests"]).items.enumerated() {
                let sample = try task.prepare(try data.evaluated.document(at: row), style: style)
                let wanted = expected.items.map { $0.items.map { strings[$0.integer] } }
                #expect(
                    sample.requests.map(\.texts) == wanted, "\(variant["shots"]!) shots, \(variant["chat"]!), \(row)")
            }
            // What a worker makes of the task.
            let again = try EvaluationTask(canonicalJSON: task.canonicalJSON, data)
            #expect(again.taskHash == task.taskHash)
        }
    }

    private static func task(
        _ item: JSONValue, _ config: JSONValue, shots: Int
    ) throws -> (EvaluationTask, TaskData) {
        var task = try TaskConfiguration(ConfigurationNode(config, file: ""), file: "", isResolved: true)
        task.fewShot.count = shots
        func split(_ name: String?) throws -> DataSet? {
            guard let name, let rows = item["splits"]?[name]?.items else { return nil }
            return try DataSet(jsonl: rows.flatMap { Array($0.text().utf8) + [0x0A] })
        }
        let data = try TaskData(
            evaluated: try #require(try split(item["evaluated"]?.string)), fewShotPool: try split(task.fewShotSplit)
        )
        .processed(by: task)
        try task.decideKinds(by: data.evaluated)
        return (try EvaluationTask(task, data), data)
    }

    private static func style(_ chat: String?) throws -> PromptStyle {
        guard let chat else { return .plain }
        let template = try JinjaChatTemplate(try #require(Self.fixture["chat_template"]?.string))
        return PromptStyle(
            template: template, isMultiTurn: chat == "turns", systemInstruction: Self.fixture["system"]?.string)
    }
}

extension Request {
    var texts: [String?] {
        switch self {
        case .loglikelihood(let context, let continuation): [context, continuation]
        case .rolling(let text): [text]
        case .generate(let prompt, _, _, _, _): [prompt]
        }
    }
}
