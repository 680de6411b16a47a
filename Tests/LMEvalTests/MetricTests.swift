import Testing

@testable import Evaluation
@testable import JSON
@testable import LMEval
@testable import ScoreMetrics

/// Scores and standard errors equal those of lm-evaluation-harness, scikit-learn and sacrebleu to 1e-9.
@Suite struct MetricTests {
    private static func column(_ item: JSONValue) throws -> MetricColumn {
        let aggregation = try #require(Aggregation(rawValue: item["aggregation"]?.string ?? ""))
        let rows = try #require(item["rows"]).items
        if aggregation.terms.count == 2, aggregation != .translationEditRate {
            return try #require(
                MetricColumn(
                    aggregation, values: rows.map { $0[0] == $0[1] ? 1 : 0 }, weights: rows.map { _ in 1 },
                    terms: rows.flatMap { [$0[0].number, $0[1].number] }))
        }
        if aggregation.terms.isEmpty {
            return try #require(
                MetricColumn(aggregation, values: rows.map(\.number), weights: rows.map { _ in 1 }))
        }
        let task = try EvaluationTask(
            TaskConfiguration(
                yaml: """
                    task: t
                    dataset_path: json
                    dataset_kwargs: {data_files: {test: t.jsonl}}
                    test_split: test
                    doc_to_text: q
                    doc_to_target: q
                    metric_list: [{metric: \(aggregation.rawValue)}]
                    """, file: "t.yaml"))
        let scored = try rows.map { row in
            try #require(task.translation(task.metrics[0].metric, row[1].string ?? "", [row[0].string ?? ""]))
        }
        return try #require(
            MetricColumn(
                aggregation, values: scored.map(\.value), weights: scored.map(\.weight),
                terms: scored.flatMap(\.terms)))
    }

    @Test(arguments: Fixture.cases("metrics")) func scoresAndErrorsAreEqual(item: JSONValue) throws {
        let column = try Self.column(item)
        let score = try #require(item["score"]).number
        #expect(abs(column.score - score) <= 1e-9 * max(1, abs(score)), "\(column.aggregation)")
        let error = try #require(item["stderr"]).number
        let iterations = try #require(item["iterations"]).integer
        let found = try #require(column.bootstrapStandardError(iterations: iterations))
        #expect(abs(found - error) <= 1e-9 * max(1, error), "\(column.aggregation)")
        if iterations == 100 { #expect(column.aggregation.bootstrapIterations == 100) }
    }

    @Test func everyBootstrappedAggregationIsCompared() {
        let found = Set(Fixture.cases("metrics").compactMap { $0["aggregation"]?.string })
        let wanted = Aggregation.allCases.filter { $0.bootstrapIterations != nil }
        #expect(found == Set(wanted.map(\.rawValue)))
    }

    @Test func calibrationErrorIsThatOfEqualBins() throws {
        for item in Fixture.cases("calibration") {
            let samples = try #require(item["samples"]).items.map { (confidence: $0[0].number, isRight: $0[1].number) }
            #expect(abs(CalibrationError.score(samples) - (try #require(item["ece"]).number)) < 1e-12)
        }
        #expect(CalibrationError.score([]).isNaN)
        #expect(CalibrationError.score([(1, 1)]) == 0 && CalibrationError.score([(0.75, 0)]) == 0.75)
    }

    @Test func whatCanNotBeComputedIsNoNumber() throws {
        func score(_ aggregation: Aggregation, _ pairs: [(Double, Double)]) throws -> Double {
            try #require(
                MetricColumn(
                    aggregation, values: pairs.map { _ in 0 }, weights: pairs.map { _ in 1 },
                    terms: pairs.flatMap { [$0.0, $0.1] })
            ).score
        }
        #expect(try score(.f1, [(0, 2), (1, 1)]).isNaN)
        #expect(try score(.f1, [(0, 0), (0, 0)]) == 0)
        #expect(try score(.matthewsCorrelation, [(1, 1), (1, 1)]) == 0)
        #expect(try score(.matthewsCorrelation, [(0.5, 1)]).isNaN && score(.f1, [(-1, 1)]).isNaN)
        #expect(try score(.f1, []).isNaN)
        #expect(MetricColumn(.bleu, values: [1], weights: [1], terms: [1]) == nil)
        #expect(MetricColumn(.mean, values: [1], weights: [1])?.bootstrapStandardError(iterations: 100) == nil)
    }

    /// What is without a sample, computed anew.
    @Test(arguments: Fixture.cases("metrics")) func influencesAreThoseOfAJackknife(item: JSONValue) throws {
        let column = try Self.column(item)
        let n = column.values.count
        guard case .influences(let influences, _, _) = column.parts else { return }
        for row in 0..<n {
            let others = (0..<n).filter { $0 != row }
            let wanted = Double(n - 1) * (column.score - column.score(of: others))
            #expect(abs(influences[row] - wanted) < 1e-6, "\(column.aggregation)")
        }
    }

    @Test(arguments: Fixture.cases("metrics")) func partsGiveTheScore(item: JSONValue) throws {
        let column = try Self.column(item)
        guard case .quotient(let values, let weights) = column.parts, column.aggregation != .perplexity else { return }
        #expect(abs(values.reduce(0, +) / weights.reduce(0, +) - column.score) < 1e-12)
    }

    @Test func theBestThresholdIsTheMeanOfWhatEachAnswerHasThere() throws {
        let rows: [(score: Double, terms: [Double])] = [
            (1, [1, 0, 0.1]), (0.5, [1, 0, 0.2]), (0, [0, 0, 0.3]), (0, [0, 1, 0.15]), (1, [1, 0, 0.6]),
        ]
        let column = try #require(
            MetricColumn(
                .bestThreshold, values: rows.map(\.score), weights: rows.map { _ in 1 }, terms: rows.flatMap(\.terms)))
        #expect(column.score == 70)
        #expect(column.parts == .quotient(values: [100, 50, 100, 100, 0], weights: [1, 1, 1, 1, 1]))
    }

    @Test func manySamplesAreNotDrawnAnew() throws {
        let pairs = [Double](repeating: 1, count: 8002)
        let column = try #require(
            MetricColumn(.f1, values: Array(pairs.prefix(4001)), weights: Array(pairs.prefix(4001)), terms: pairs))
        #expect(column.bootstrapStandardError == nil)
    }
}
