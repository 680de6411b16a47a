import Evaluation
import Foundation
import JobQueue
import Planning
import Testing

@Suite struct JobFileTests {
    @Test func aFileIsReadWithItsDefaultsAndOverrides() throws {
        let file = try JobFile.parse(
            """
            name: nightly
            models: [a, b]
            priority: high
            settings: {logits: tokens, shard_size: 25, overflow: error}
            tasks:
              - tasks/x.yaml
              - task: tasks/y.yaml
                limit: 10
                settings: {shard_size: 5, batch_tokens: 256}
            """, path: "jobs/nightly.yaml")
        #expect(file.name == "nightly")
        #expect(file.project == "default")
        #expect(file.models == ["a", "b"])
        #expect(file.priority == .high)
        #expect(file.tasks.map(\.path) == ["tasks/x.yaml", "tasks/y.yaml"])
        #expect(file.tasks.map(\.line) == [6, 7])
        #expect(file.tasks[1].limit == .count(10))
        let settings = file.tasks[1].settings.over(file.settings)
        #expect(settings.shardSize == 5)
        #expect(settings.batchTokens == 256)
        #expect(settings.logits == .tokens)
        #expect(settings.overflow == .error)
    }

    @Test func resultsOfSeveralEnginesMustBeAllowed() throws {
        #expect(try !JobFile.parse("model: m\ntasks: [a]", path: "f.yaml").isMixed)
        #expect(try !JobFile.parse("model: m\nmixed: forbidden\ntasks: [a]", path: "f.yaml").isMixed)
        #expect(try JobFile.parse("model: m\nmixed: allowed\ntasks: [a]", path: "f.yaml").isMixed)
    }

    @Test func theNameDefaultsToTheFiles() throws {
        #expect(try JobFile.parse("model: m\ntasks: [t.yaml]", path: "jobs/demo.v2.yaml").name == "demo")
    }

    @Test(arguments: [
        ("", "f.yaml", "the file is empty"),
        ("- a", "f.yaml:1", "the file must be a map"),
        ("model: m\ntaks: [a]", "f.yaml:2", "unknown key 'taks'; known here are name"),
        ("model: m", "f.yaml:1", "'tasks' must be a list of task files"),
        ("tasks: [a]", "f.yaml:1", "'model' is missing"),
        ("model: m\nmodels: [m]\ntasks: [a]", "f.yaml:1", "'model' stands beside 'models'"),
        ("models: [m, m]\ntasks: [a]", "f.yaml:1", "names a model twice"),
        ("model: m\ntasks: [a]\nmixed: yes", "f.yaml:3", "'mixed' is 'yes'; it must be forbidden"),
        ("model: m\ntasks: [a]\npriority: 9", "f.yaml:3", "priority '9' does not exist"),
        ("model: m\ntasks:\n  - limit: 3", "f.yaml:3", "'tasks[0].task' is missing"),
        ("model: m\ntasks:\n  - task: a\n    limit: 0", "f.yaml:4", "it must be a whole number from 1"),
        ("model: m\ntasks:\n  - task: a\n    limit: 1.5", "f.yaml:4", "is '1.5'; it must be a whole number from 1"),
        ("model: m\ntasks:\n  - task: a\n    limit: [1]", "f.yaml:4", "is 'not a number'"),
        ("model: m\ntasks: [a]\nsettings: {logits: all}", "f.yaml:3", "it must be one of none, choices, tokens"),
        ("model: m\ntasks: [a]\nsettings: {overflow: cut}", "f.yaml:3", "it must be one of truncate, error"),
        ("model: m\ntasks: [a]\nsettings: {cache_mb: 0}", "f.yaml:3", "1"),
        ("model: m\ntasks: [a]\nsettings: {batch_tokens: lots}", "f.yaml:3", "'settings.batch_tokens' is 'lots'"),
        ("model: [m", "f.yaml", "this is not YAML"),
    ])
    func whatIsWrongIsNamedWithItsLine(_ text: String, _ place: String, _ message: String) {
        let error = #expect(throws: PlanningError.self) { try JobFile.parse(text, path: "f.yaml") }
        #expect(error?.place == place)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func aMissingFileIsSaidToBeMissing() {
        let error = #expect(throws: PlanningError.self) { try JobFile.read(path: "/no/such/job.yaml") }
        #expect(error?.description.contains("/no/such/job.yaml: there is no such file") == true)
    }

    /// Nothing is read of what can't be a job file, however long it is.
    @Test(.timeLimit(.minutes(1))) func longFilesAndPipesAreRefused() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let path = folder + "/assay-\(UUID().uuidString).yaml"
        defer { unlink(path) }
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(truncate(path, 1 << 42) == 0)
        let error = #expect(throws: PlanningError.self) { try JobFile.read(path: path) }
        #expect(error?.description.contains("has 4398046511104 bytes; at most 1048576 are read of such a file") == true)
        unlink(path)
        #expect(mkfifo(path, 0o600) == 0)
        let pipe = #expect(throws: PlanningError.self) { try JobFile.read(path: path) }
        #expect(pipe?.description.contains("is not a regular file") == true)
        unlink(path)
        let missing = #expect(throws: PlanningError.self) { try JobFile.read(path: path) }
        #expect(missing?.description.contains("there is no such file") == true)
    }
}
