import Datasets
import Foundation
import Testing

@testable import Evaluation
@testable import LMEval

/// Task files and rows with which people met faults of tools like this one: prompts are lm-eval's, as
/// Fixtures/field/expected.py asked for them.
@Suite struct FieldCasesTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var task: String
        var files: [String: String]
        /// One a row; `nil` where lm-eval refuses the file.
        var prompts: [String]?
        var refused: String?

        var testDescription: String { self.name }
    }

    /// What lm-eval runs and Assay refuses, with a part of the reason.
    private static let refused = ["41-yaml-quirks, intask": "task", "41-yaml-quirks, textds": "dataset_path"]

    private static let cases: [Case] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/field/cases.json"
        let data = (try? Data(contentsOf: URL(filePath: path))) ?? Data()
        return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
    }()

    @Test func thereAreCases() { #expect(Self.cases.count == 96) }

    @Test(arguments: Self.cases)
    func promptsAreThoseOfLMEval(_ item: Case) throws {
        try withFiles(item.files.mapValues { Array($0.utf8) }) { folder in
            func prompts() throws -> [String] {
                let (task, data) = try EvaluationTask.load(path: folder + item.task)
                let worker = try EvaluationTask(canonicalJSON: task.canonicalJSON, data)
                return try data.evaluated.documents(in: 0..<data.evaluated.rowCount).map { document in
                    let sample = try worker.prepare(document)
                    guard case .loglikelihood(let context, let continuation)? = sample.requests.first else {
                        return sample.prompt
                    }
                    return context + continuation
                }
            }
            if let expected = item.prompts, Self.refused[item.name] == nil {
                let found = try prompts()
                #expect(found == expected)
            } else {
                let error = #expect(throws: TaskError.self) { try prompts() }
                if let reason = Self.refused[item.name] { #expect(error?.message.contains(reason) == true) }
            }
        }
    }
}
