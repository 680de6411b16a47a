import Evaluation
import Foundation
import LMEval
import Testing

@Suite("What jobs say of their task, for reports")
struct JobTaskTests {
    static func describe(_ lines: String) throws -> JobSpecification.Task {
        let configuration = try TaskConfiguration(
            yaml: """
                task: quiz
                dataset_path: json
                dataset_kwargs:
                  data_files:
                    test: quiz.jsonl
                test_split: test
                output_type: multiple_choice
                doc_to_text: "{{question}}"
                doc_to_target: "{{answer}}"
                doc_to_choice: "{{choices}}"
                metric_list:
                  - metric: acc
                  - metric: acc_norm
                \(lines)
                """, file: "quiz.yaml")
        return JobSpecification.Task(try EvaluationTask(configuration))
    }

    @Test("Metrics, alias and version are in the job")
    func described() throws {
        let task = try Self.describe("task_alias: Quiz\nmetadata:\n  version: 1.0")
        #expect(task.alias == "Quiz")
        #expect(task.version == "1.0")
        #expect(task.metrics?.map(\.metric) == [.acc, .accNorm])
        #expect(task.metrics?.allSatisfy { $0.aggregation == .mean && $0.higherIsBetter } == true)
    }

    @Test("A task without version has none")
    func bare() throws {
        let task = try Self.describe("")
        #expect(task.alias == nil)
        #expect(task.version == nil)
    }

    @Test("A job of an older release is completed from its configuration")
    func completed() throws {
        let task = try Self.describe("task_alias: Quiz\nmetadata:\n  version: 1.0")
        let old = JobSpecification.Task(name: task.name, hash: task.hash, configuration: task.configuration)
        #expect(try old.completed() == task)
        // What the job says counts, whatever is in the configuration.
        var other = task
        other.configuration = "nothing"
        #expect(try other.completed() == other)
    }

    @Test("Metrics are stored under names that stay")
    func stored() throws {
        let task = try Self.describe("")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(task.metrics), as: UTF8.self)
        #expect(
            text == """
                [{"aggregation":"mean","filter":"none","higherIsBetter":true,"metric":"acc","name":"acc"},\
                {"aggregation":"mean","filter":"none","higherIsBetter":true,"metric":"acc_norm","name":"acc_norm"}]
                """)
        #expect(try JSONDecoder().decode([MetricDefinition].self, from: Data(text.utf8)) == task.metrics)
    }

    @Test("What is not a task is the task's error")
    func broken() {
        for configuration in ["{}", "nothing"] {
            #expect(throws: TaskError.self) {
                try JobSpecification.Task(name: "t", hash: "h", configuration: configuration).completed()
            }
        }
    }
}
