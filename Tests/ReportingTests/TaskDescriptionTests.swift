import Evaluation
import Testing

@testable import Reporting

@Suite("What a report takes from a task")
struct TaskDescriptionTests {
    static func describe(_ lines: String) throws -> TaskDescription {
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
        return try TaskDescription(configuration: try EvaluationTask(configuration).canonicalJSON)
    }

    @Test("Metrics, alias and version come from the task's canonical JSON")
    func described() throws {
        let task = try Self.describe("task_alias: Quiz\nmetadata:\n  version: 1.0")
        #expect(task.alias == "Quiz")
        #expect(task.version == "1.0")
        #expect(task.metrics.map(\.metric) == [.acc, .accNorm])
        #expect(task.metrics.allSatisfy { $0.aggregation == .mean && $0.higherIsBetter })
    }

    @Test("A task without version has none")
    func bare() throws {
        let task = try Self.describe("")
        #expect(task.alias == nil)
        #expect(task.version == nil)
    }

    @Test("What is not a task is the task's error")
    func broken() {
        #expect(throws: TaskError.self) { try TaskDescription(configuration: "{}") }
        #expect(throws: TaskError.self) { try TaskDescription(configuration: "nothing") }
    }
}
