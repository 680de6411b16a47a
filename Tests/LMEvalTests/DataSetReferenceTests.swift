import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import LMEval

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct DataSetReferenceTests {
    /// As lm-eval's arc_easy.yaml.
    private static let arc = """
        tag:
          - ai2_arc
        task: arc_easy
        dataset_path: allenai/ai2_arc
        dataset_name: ARC-Easy
        output_type: multiple_choice
        training_split: train
        validation_split: validation
        test_split: test
        doc_to_text: "Question: {{question}}\\nAnswer:"
        doc_to_target: "{{choices.label.index(answerKey)}}"
        doc_to_choice: "{{choices.text}}"
        should_decontaminate: true
        doc_to_decontamination_query: "Question: {{question}}\\nAnswer:"
        metric_list:
          - metric: acc
            aggregation: mean
            higher_is_better: true
        metadata:
          version: 1.0

        """

    private static func read(_ yaml: String) throws(TaskError) -> TaskConfiguration {
        try TaskConfiguration(yaml: yaml, file: "tasks/t.yaml")
    }

    @Test func taskFilesOfLMEvalNameDataSets() throws {
        let task = try Self.read(Self.arc)
        #expect(task.dataSet == DataSetReference(path: "allenai/ai2_arc", name: "ARC-Easy"))
        #expect(task.dataFiles.isEmpty)
        #expect(task.notes.isEmpty)
        for name in ["dataset_name: null\n", "dataset_name:\n", ""] {
            let task = try Self.read(Self.arc.replacing("dataset_name: ARC-Easy\n", with: name))
            #expect(task.dataSet == DataSetReference(path: "allenai/ai2_arc"))
        }
        // Where the rows are is no part of the task.
        let renamed = try Self.read(Self.arc.replacing("ARC-Easy", with: "Other"))
        #expect(try EvaluationTask(renamed).taskHash == EvaluationTask(task).taskHash)
        #expect(try TaskConfiguration(canonicalJSON: EvaluationTask(task).canonicalJSON).dataSet == nil)
    }

    @Test func argumentsHaveNoEffectAndAreNoted() throws {
        let task = try Self.read(Self.arc + "dataset_kwargs: {trust_remote_code: true, revision: abc}\n")
        #expect(task.notes.count == 1)
        #expect(task.notes.first?.contains("(trust_remote_code, revision) has no effect") == true)
        #expect(try Self.read(Self.arc + "dataset_kwargs: {}\n").notes.isEmpty)
        #expect(try Self.read(Self.arc + "dataset_kwargs: null\n").notes.isEmpty)
    }

    @Test(arguments: [
        ("dataset_path: allenai/ai2_arc", "dataset_path: parquet", "make JSON Lines"),
        ("dataset_path: allenai/ai2_arc", "dataset_path: [a]", "json, csv or the name"),
        ("dataset_path: allenai/ai2_arc", "dataset_path: ''", "json, csv or the name"),
        ("dataset_path: allenai/ai2_arc\n", "", "assay dataset list"),
        ("dataset_name: ARC-Easy", "dataset_name: 2024", "quote it if it is text"),
        ("dataset_name: ARC-Easy", "dataset_kwargs: [a]", "a mapping"),
    ])
    func whatIsNoReferenceIsRefused(old: String, new: String, hint: String) {
        let error = #expect(throws: TaskError.self) { try Self.read(Self.arc.replacing(old, with: new)) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
        #expect(error?.file == "tasks/t.yaml")
    }

    /// Answers the same row for each split, and refuses one of another data set.
    private struct Catalog: DataSetCatalog {
        func rows(
            of dataSet: DataSetReference, evaluated: String, fewShot: String?
        ) async throws(TaskError) -> TaskData {
            guard dataSet.name == "ARC-Easy" else { throw TaskError(.invalidValue, "not here") }
            func rows(_ split: String, count: Int) throws(TaskError) -> DataSet {
                let row =
                    #"{"question":"\#(split)?","choices":{"text":["a","b"],"label":["A","B"]},"answerKey":"B"}"# + "\n"
                return try DataSet(jsonl: Array(String(repeating: row, count: count).utf8))
            }
            return TaskData(
                evaluated: try rows(evaluated, count: 1),
                fewShotPool: try fewShot.map { split throws(TaskError) in try rows(split, count: 2) })
        }
    }

    @Test func rowsComeFromTheCatalog() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Self.arc.utf8).write(to: URL(filePath: path))
        let (task, data) = try await EvaluationTask.load(path: path, fewShot: 1, catalog: Catalog())
        let sample = try task.prepare(try data.evaluated.document(at: 0))
        #expect(sample.prompt == "Question: train?\nAnswer: b\n\nQuestion: test?\nAnswer:")
        #expect(sample.golds == [1])
        let (_, plain) = try await EvaluationTask.load(path: path, catalog: Catalog())
        #expect(plain.fewShotPool == nil)
        // Without one the file says what it needs.
        #expect(throws: TaskError.self) { try EvaluationTask.load(path: path) }
        let none = await #expect(throws: TaskError.self) {
            try await EvaluationTask.load(path: path, catalog: NoDataSets())
        }
        #expect(none?.description.contains("registered data set allenai/ai2_arc (ARC-Easy)") == true)
        try Data(Self.arc.replacing("ARC-Easy", with: "x").utf8).write(to: URL(filePath: path))
        let other = await #expect(throws: TaskError.self) {
            try await EvaluationTask.load(path: path, catalog: Catalog())
        }
        #expect(other?.description == "\(path): not here")
    }
}
