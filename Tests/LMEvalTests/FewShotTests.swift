import JSON
import PythonCompat
import Testing

@testable import Datasets
@testable import Evaluation
@testable import LMEval

/// Random draws equal CPython's; Fixtures/lm-eval/make.py asked it.
@Suite struct PythonRandomTests {
    @Test func numbersAreThoseOfPython() throws {
        for item in Fixture.cases("random") {
            var random = PythonRandom(seed: UInt64(try #require(item["seed"]).integer))
            #expect(try #require(item["words"]).items.map(\.integer) == (0..<700).map { _ in Int(random.next()) })
            #expect(try #require(item["units"]).items.map(\.number) == (0..<5).map { _ in random.unit() })
            for draw in try #require(item["samples"]).items {
                let (count, size) = (draw[0].integer, draw[1].integer)
                #expect(random.sample(count, of: size) == draw[2].items.map(\.integer), "\(count) of \(size)")
            }
            #expect(try #require(item["choices"]).items.map(\.integer) == random.choices(20, of: 7))
        }
        #expect(Fixture.cases("random").count == 4)
    }

    @Test func moreThanThereAreCanNotBeDrawn() {
        var random = PythonRandom(seed: 1)
        #expect(random.sample(3, of: 2) == nil && random.sample(-1, of: 2) == nil && random.sample(0, of: 0) == [])
        #expect(random.choices(3, of: 0) == [] && random.below(0) == 0)
    }
}

/// Which examples stand before a row.
@Suite struct FewShotDrawsTests {
    private static func rows(_ texts: [String]) throws -> DataSet {
        try DataSet(jsonl: texts.flatMap { Array("{\"q\": \"\($0)\"}\n".utf8) })
    }

    /// lm-eval's sampler, for pools with and without equal rows.
    @Test func drawsAreThoseOfLMEval() throws {
        for item in Fixture.cases("draws") {
            let texts = try #require(item["pool"]).items.compactMap(\.string)
            let pool = try Self.rows(texts)
            let evaluated = item["drops_own"] == .bool(true) ? pool : nil
            let draws = try FewShotDraws(
                try #require(item["count"]).integer, seed: 1234, from: .dataSet(pool, rows: nil), rows: texts.count,
                droppingOwn: evaluated)
            for (row, wanted) in try #require(item["drawn"]).items.enumerated() {
                let found = try #require(draws.indices(for: row)).map { texts[$0] }
                #expect(found == wanted.items.compactMap(\.string), "row \(row) of \(texts)")
            }
            #expect(draws.indices(for: texts.count) == nil && draws.indices(for: -1) == nil)
        }
        #expect(Fixture.cases("draws").count == 6)
    }

    @Test func tooFewAreAnError() throws {
        let pool = try Self.rows(["a", "a", "b"])
        #expect(throws: TaskError.self) {
            try FewShotDraws(4, seed: 1, from: .dataSet(pool, rows: nil), rows: 1, droppingOwn: nil)
        }
        // Without its own copies a row has one left.
        let error = #expect(throws: TaskError.self) {
            try FewShotDraws(2, seed: 1, from: .dataSet(pool, rows: nil), rows: 3, droppingOwn: pool)
        }
        #expect(error?.message.contains("taken from only 1, the row itself left out") == true)
    }

    @Test func aTaskThatDrawsNeedsItsPoolAgain() throws {
        let yaml = """
            task: t
            dataset_path: json
            dataset_kwargs: {data_files: {test: t.jsonl, train: train.jsonl}}
            training_split: train
            test_split: test
            doc_to_text: q
            doc_to_target: q
            num_fewshot: 2
            """
        let configuration = try TaskConfiguration(yaml: yaml, file: "t.yaml")
        let data = TaskData(
            evaluated: try Self.rows(["x", "y"]), fewShotPool: try Self.rows((0..<30).map { "example \($0)" }))
        let task = try EvaluationTask(configuration, data)
        #expect(task.drawsExamples)
        let again = try EvaluationTask(canonicalJSON: task.canonicalJSON, data, rows: 2)
        let document = try data.evaluated.document(at: 1)
        #expect(try again.prepare(document) == task.prepare(document))
        #expect(again.taskHash == task.taskHash)
        let other = TaskData(evaluated: data.evaluated, fewShotPool: try Self.rows(["a", "b", "c", "d"]))
        #expect(throws: TaskError.self) { try EvaluationTask(canonicalJSON: task.canonicalJSON, other) }
        #expect(throws: TaskError.self) { try EvaluationTask(canonicalJSON: task.canonicalJSON) }
        // A row beyond those that were asked for has no examples.
        #expect(throws: TaskError.self) { try EvaluationTask(configuration, data, rows: 1).prepare(document) }
        #expect(try EvaluationTask(configuration, other).taskHash != task.taskHash)
    }
}
