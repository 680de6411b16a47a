import Testing

@testable import Datasets
@testable import Evaluation
@testable import LMEval

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct FilesTests {
    /// A folder with these files, removed afterwards.
    private static func with<Result>(
        _ files: [String: String], _ body: (String) throws -> Result
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, content) in files {
            try Data(content.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        return try body(folder + "/")
    }

    private static let few = """
        task: few
        dataset_path: csv
        dataset_kwargs: {data_files: {test: t.csv, train: train.csv}}
        test_split: test
        doc_to_text: "{{q}}"
        doc_to_target: "{{a}}"
        num_fewshot: 2
        fewshot_config: {sampler: first_n}

        """

    @Test func includedKeysGiveWay() throws {
        try Self.with([
            "base.yaml": ConfigurationTests.minimal + "description: base\ntarget_delimiter: '_'\n",
            "t.yaml": "include: base.yaml\ntask: derived\ndescription: own\n", "loop.yaml": "include: loop.yaml\n",
            "wrong.yaml": "include: bad.yaml\ntask: x\n", "bad.yaml": "doc_to_txt: x\n",
            "none.yaml": "include: no.yaml\n",
        ]) { folder in
            let task = try TaskConfiguration.load(path: folder + "t.yaml")
            #expect(task.name == "derived")
            #expect(task.taskDescription == "own")
            #expect(task.targetDelimiter == "_")
            for name in ["loop.yaml", "none.yaml"] {
                let error = #expect(throws: TaskError.self) { try TaskConfiguration.load(path: folder + name) }
                #expect(error?.line == 1)
            }
            let wrong = #expect(throws: TaskError.self) {
                try TaskConfiguration(yaml: "include: bad.yaml\n" + ConfigurationTests.minimal, file: folder + "w.yaml")
            }
            #expect(wrong?.file == folder + "bad.yaml")
        }
    }

    @Test func examplesComeFromTheTrainingSplit() throws {
        try Self.with([
            "t.yaml": Self.few, "t.csv": "q,a\nQ,A\n", "train.csv": "q,a\none,1\ntwo,2\nthree,3\n",
        ]) { folder in
            let yaml = Self.few.replacing("test_split: test", with: "test_split: test\ntraining_split: train")
            try Data(yaml.utf8).write(to: URL(filePath: folder + "t.yaml"))
            let (task, data) = try EvaluationTask.load(path: folder + "t.yaml")
            let dataSet = data.evaluated
            #expect(try task.prepare(try dataSet.document(at: 0)).prompt == "one 1\n\ntwo 2\n\nQ")
            // The examples are part of the task: other ones are another task.
            try Data("q,a\none,1\ntwo,II\n".utf8).write(to: URL(filePath: folder + "train.csv"))
            #expect(try EvaluationTask.load(path: folder + "t.yaml").task.taskHash != task.taskHash)
            try Data("q,a\none,1\n".utf8).write(to: URL(filePath: folder + "train.csv"))
            #expect(throws: TaskError.self) { try EvaluationTask.load(path: folder + "t.yaml") }
        }
    }

    @Test func aRowIsNotItsOwnExample() throws {
        let named = Self.few + "fewshot_split: test\n"
        let csv = "q,a\none,1\none,1\ntwo,2\nthree,3\n"
        try Self.with(["named.yaml": named, "t.yaml": Self.few, "t.csv": csv]) { folder in
            let (task, data) = try EvaluationTask.load(path: folder + "named.yaml")
            let prompts = try task.prepare(try data.evaluated.documents(in: 0..<4)).map(\.prompt)
            #expect(prompts[0] == "two 2\n\nthree 3\n\none")
            #expect(prompts[2] == "one 1\n\none 1\n\ntwo")
            #expect(task.configuration.notes == [])
            // As in lm-eval it may be where the split is not named; the task says so.
            let (other, _) = try EvaluationTask.load(path: folder + "t.yaml")
            #expect(try other.prepare(try data.evaluated.document(at: 0)).prompt == "one 1\n\none 1\n\none")
            #expect(other.configuration.notes.count == 1)
        }
    }

    @Test func filesAreReadByTheirNames() throws {
        let list = #"[{"q": "Q"}]"#
        try Self.with([
            "list.json": list, "lines.json": "{\"q\":\"Q\"}\n{\"q\":\"R\"}\n", "list.jsonl": list, "x.parquet": "",
            "parquet.jsonl": "PAR1",
        ]) { folder in
            let (list, lines) = (
                try DataSet.load(path: folder + "list.json"), try DataSet.load(path: folder + "lines.json")
            )
            #expect(list.jsonl == Array("{\"q\":\"Q\"}\n".utf8))
            #expect(lines.rowCount == 2)
            #expect(try DataSet.load(path: folder + "list.jsonl").rowCount > 0)
            for name in ["x.parquet", "parquet.jsonl"] {
                let error = #expect(throws: TaskError.self) { try DataSet.load(path: folder + name) }
                #expect(error?.message.contains("pandas.read_parquet") == true)
            }
        }
    }

    @Test func dataIsFoundInSearchFolders() throws {
        try Self.with(["t.csv": "q,a\nQ,A\n", "train.csv": "q,a\nx,y\nz,w\n"]) { folder in
            let configuration = try TaskConfiguration(yaml: Self.few, file: "/nonexistent/t.yaml")
            #expect(try configuration.dataFiles(split: "test", searchFolders: ["/no", folder]) == [folder + "t.csv"])
        }
    }
}
