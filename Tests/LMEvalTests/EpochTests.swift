import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Epochs, clusters and health: what lm-eval does not have.
@Suite struct EpochTests {
    private static let row = JSONValue.object(["q": .string("Q"), "a": .string("yes"), "passage": .int(7)])

    @Test func eachEpochIsScoredByItself() throws {
        let task = try Answering.task(
            """
            repeats: 2
            epochs: 3
            generation_kwargs: {temperature: 1}
            metric_list: [{metric: exact_match}, {metric: pass@2}]
            filter_list: [{name: all, filter: []}]
            """)
        let sample = try task.prepare(Document(row: 4, value: Self.row))
        let streams = sample.requests.map { request -> UInt32? in
            guard case .generate(_, _, _, let sampling, _) = request else { return nil }
            return sampling?.stream.repeat
        }
        #expect(streams == [0, 1, 2, 3, 4, 5])
        let result = try Answering.score(task, Self.row, texts: ["yes", "no", "no", "no", "yes", "yes"])
        // 1/2, 0 and 1 of the texts; 1, 0 and 1 of the epochs.
        #expect(result.value("exact_match,all") == 0.5)
        #expect(result.value("pass@2,all") == 2 / 3.0)
        #expect(result.generations.count == 6)
        #expect(result.metrics.map(\.epochs) == [[0.5, 0, 1], [1, 0, 1]])
    }

    /// A vote of all six texts would be another one than those of each three.
    @Test func filtersSeeOneEpoch() throws {
        let task = try Answering.task(
            """
            repeats: 3
            epochs: 2
            generation_kwargs: {temperature: 1}
            filter_list: [{name: vote, filter: [{function: majority_vote}]}]
            """)
        let result = try Answering.score(task, Self.row, texts: ["yes", "yes", "no", "no", "no", "no"])
        #expect(result.value("exact_match,vote") == 0.5)
    }

    @Test func epochsAreForTexts() throws {
        let read = { (lines: String) in
            try TaskConfiguration(yaml: ConfigurationTests.minimal + lines, file: "t.yaml")
        }
        #expect(try read("epochs: 4\n").epochs == 1)
        #expect(try read("epochs: 4\n").notes == ["epochs has no effect where nothing is generated"])
        #expect(throws: TaskError.self) { try read("epochs: 0\n") }
    }

    @Test func healthIsAMetric() throws {
        let task = try Answering.task(
            """
            metric_list: [{metric: unparsed}, {metric: truncated}, {metric: hit_max_tokens}, {metric: exact_match}]
            filter_list: [{name: f, filter: [{function: regex, regex_pattern: 'is (\\w+)'}, {function: take_first}]}]
            """)
        let good = try Answering.score(task, Self.row, texts: ["it is yes"])
        #expect(good.metrics.map(\.value) == [0, 0, 0, 1])
        let bad = try Answering.score(task, Self.row, texts: ["well"], finish: .length, truncated: 3)
        #expect(bad.metrics.map(\.value) == [1, 1, 1, 0])
        #expect(task.metrics.map(\.higherIsBetter) == [false, false, false, true])
    }

    @Test func rowsBelongToClusters() throws {
        let task = try Answering.task("metadata: {cluster_key: passage}")
        #expect(try Answering.score(task, Self.row, texts: ["yes"]).cluster == "7")
        #expect(try Answering.score(Answering.task(""), Self.row, texts: ["yes"]).cluster == nil)
        let other = JSONValue.object(["q": .string("Q"), "a": .string("yes")])
        let error = #expect(throws: TaskError.self) { try Answering.score(task, other, texts: ["yes"]) }
        #expect(error?.message.contains("no text or number in the column passage") == true)
        let wrong = #expect(throws: TaskError.self) { try Answering.task("metadata: {cluster_key: 3}") }
        #expect(wrong?.message.contains("a column's name") == true && wrong?.line == 7)
    }
}
