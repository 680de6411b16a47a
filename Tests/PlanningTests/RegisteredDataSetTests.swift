import Evaluation
import Foundation
import JobQueue
import LMEval
import MemoryQueue
import Planning
import ResultStore
import Testing

@Suite struct RegisteredDataSetTests {
    /// A store, a registry and a folder with a task file that names a registered data set.
    private struct Place {
        let folder = NSTemporaryDirectory() + "assay-data-sets-\(UUID().uuidString)"
        let store: Store
        let queue = InMemoryJobQueue()

        var catalog: RegisteredDataSets {
            let store = self.store
            return RegisteredDataSets(self.queue) { () async throws(StoreError) in store }
        }

        init() async throws {
            try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
            self.store = try await Store.create(root: self.folder)
            try "bytes".write(toFile: "\(self.folder)/model.gguf", atomically: true, encoding: .utf8)
            try """
            task: toy
            dataset_path: owner/toy
            dataset_name: main
            training_split: train
            test_split: test
            output_type: generate_until
            doc_to_text: "{{q}}"
            doc_to_target: a
            num_fewshot: 1
            """.write(toFile: "\(self.folder)/task.yaml", atomically: true, encoding: .utf8)
        }

        @discardableResult
        func add(_ split: String, _ rows: String, replacing: Bool = false) async throws -> String {
            let sha256 = try await self.store.importDataSet(bytes: Array(rows.utf8))
            let split = DataSetRecord.Split(
                name: split, sha256: sha256, rows: 1, columns: ["q", "a"], source: "\(split).csv", user: "ada")
            let name = try DataSetName("owner/toy", config: "main")
            try await self.queue.addDataSet(DataSetRecord(name, splits: [split]), replacing: replacing)
            return sha256
        }

        func plan() async throws -> RunPlan {
            let file = try JobFile.parse("model: m\ntasks: [task.yaml]", path: "\(self.folder)/job.yaml")
            let model = ModelRecord(
                name: "m", path: "\(self.folder)/model.gguf", sha256: String(repeating: "a", count: 64), bytes: 5,
                architecture: "llama", parameters: 1, contextLength: 1000, vocabularySize: 10,
                tokenizerSHA256: String(repeating: "b", count: 64), quantization: "F32")
            return try await Planner(searchFolders: [], user: "tester", catalog: self.catalog).plan(file) { _ in model }
        }
    }

    @Test func jobsNameTheRowsThatTheNameStandsFor() async throws {
        let place = try await Place()
        let test = try await place.add("test", "{\"q\":\"Q\",\"a\":\"A\"}\n")
        let train = try await place.add("train", "{\"q\":\"P\",\"a\":\"B\"}\n")
        let plan = try await place.plan()
        let specification = try JobSpecification(json: try #require(plan.submission.jobs.first).specification)
        #expect(specification.dataSet == .init(sha256: test, rows: 1))
        #expect(specification.fewShotPool?.sha256 == train)
        #expect(Set(plan.dataSets.keys) == [test, train])
        // Another content under the name is another job; the first one keeps its rows.
        let other = try await place.add("test", "{\"q\":\"R\",\"a\":\"A\"}\n", replacing: true)
        #expect(try await place.plan().jobs.map(\.dataSetSHA256) == [other])
        #expect(try await place.store.dataSet(sha256: test) == Array("{\"q\":\"Q\",\"a\":\"A\"}\n".utf8))
    }

    @Test func whatIsMissingIsSaidWithTheCommandThatAddsIt() async throws {
        let place = try await Place()
        let command = "`assay dataset add owner/toy --config main --split test=FILE --split train=FILE`"
        let none = await #expect(throws: PlanningError.self) { try await place.plan() }
        #expect(none?.message.contains(command) == true, "\(none?.message ?? "")")
        #expect(none?.message.contains("task.yaml: there is no data set 'owner/toy (main)'") == true)
        try await place.add("test", "{\"q\":\"Q\",\"a\":\"A\"}\n")
        let half = await #expect(throws: PlanningError.self) { try await place.plan() }
        #expect(half?.message.contains("has no split train (there are test)") == true, "\(half?.message ?? "")")
        for name in ["../etc", "owner/toy\u{1B}[2J"] {
            let error = await #expect(throws: TaskError.self) {
                try await place.catalog.rows(of: DataSetReference(path: name), evaluated: "test", fewShot: nil)
            }
            #expect(error?.message.contains("is no name of a data set") == true, "\(error?.message ?? "")")
        }
    }

    @Test func rowsThatAreGoneAreSaidToBe() async throws {
        let place = try await Place()
        try await place.add("train", "{\"q\":\"P\",\"a\":\"B\"}\n")
        let sha256 = try await place.add("test", "{\"q\":\"Q\",\"a\":\"A\"}\n")
        try FileManager.default.removeItem(atPath: "\(place.folder)/datasets/\(sha256).jsonl")
        let error = await #expect(throws: PlanningError.self) { try await place.plan() }
        #expect(error?.message.contains("they came from test.csv") == true, "\(error?.message ?? "")")
    }
}
