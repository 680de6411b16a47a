import JobQueue
import Testing

@Suite struct RegistryTests {
    @Test(arguments: Implementation.allCases)
    func submittingTwiceIsOnce(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let first = try await test.queue.submit(submission())
            #expect(try await test.queue.submit(submission()) == first)
            #expect((first.jobCount, first.progress.shards.ready, first.progress.samples) == (1, 3, 30))
            #expect(
                (first.name, first.project, first.user, first.priority) == ("run k3f9x2a0", "default", "ada", .normal))
            #expect((first.state, first.startedAt, first.finishedAt) == (.queued, nil, nil))
            let other = await #expect(throws: QueueError.self) {
                try await test.queue.submit(submission([job(shards: 4)]))
            }
            #expect(other?.code == .conflict)
            #expect(try await test.queue.onlyJob().progress.shards.total == 3)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aSubmissionIsStoredWholeOrNotAtAll(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            var gap = job(1)
            gap.shards[1].rowStart += 1
            let error = await #expect(throws: QueueError.self) {
                try await test.queue.submit(submission([job(0), gap]))
            }
            #expect(error?.code == .invalid)
            #expect(error?.message.contains("shard 1 of job k3f9x2a0.1") == true)
            let runs = try await test.queue.runs(limit: 10, project: nil)
            #expect(runs.isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func checkingThrowsWhatSubmittingWouldAndStoresNothing(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let projects = try await queue.projects()
            var new = try submission("00000001")
            new.project = "new"
            try await queue.checkSubmission(new)
            #expect(try await queue.runs(limit: 10, project: nil).isEmpty)
            #expect(try await queue.projects() == projects)
            try await queue.submit(submission("00000002"))
            // The same again is no other submission.
            try await queue.checkSubmission(submission("00000002"))
            var gap = job(0)
            gap.shards[1].rowStart += 1
            let nobody = JobDependency(.run(try RunID("zzzzzzzz")))
            for wrong in [
                try submission("00000002", [job(shards: 4)]), try submission("00000003", [gap]),
                try submission("00000003", []), try submission("00000003", [job(0, shards: 1, after: [nobody])]),
            ] {
                let checked = await #expect(throws: QueueError.self) { try await queue.checkSubmission(wrong) }
                let submitted = await #expect(throws: QueueError.self) { try await queue.submit(wrong) }
                #expect(checked?.code == submitted?.code && checked?.message == submitted?.message)
            }
            #expect(try await queue.runs(limit: 10, project: nil).map(\.id.text) == ["00000002"])
            #expect(try await queue.onlyJob(of: "00000002").progress.shards.total == 3)
        }
    }

    @Test(arguments: Implementation.allCases)
    func findsARunByItsFirstCharacters(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            for id in ["k3f9x2a0", "k3f9x2a1", "k3zzzzzz"] {
                try await test.queue.submit(submission(id))
            }
            #expect(try await test.queue.run(matching: "K3Z").id.text == "k3zzzzzz")
            #expect(try await test.queue.run(matching: "k3f9x2al").id.text == "k3f9x2a1")
            let several = await #expect(throws: QueueError.self) { try await test.queue.run(matching: "k3f") }
            #expect(several?.code == .ambiguous)
            #expect(several?.message.contains("k3f9x2a0, k3f9x2a1") == true)
            let none = await #expect(throws: QueueError.self) { try await test.queue.run(matching: "zz") }
            #expect(none?.code == .notFound)
            for wrong in ["", "%", "k3f9x2a0k", "k_", "ü"] {
                let error = await #expect(throws: QueueError.self) { try await test.queue.run(matching: wrong) }
                #expect(error?.code == .invalid)
            }
        }
    }

    @Test(arguments: Implementation.allCases)
    func listsTheNewestRunsFirst(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            for (number, id) in ["00000003", "00000001", "00000002"].enumerated() {
                try await test.queue.submit(submission(id, project: number == 1 ? "other" : "default"))
                // A database's clock moves by itself.
                if implementation == .memory { try await test.advance(1) }
            }
            #expect(
                try await test.queue.runs(limit: 10, project: nil).map(\.id.text)
                    == ["00000002", "00000001", "00000003"])
            #expect(try await test.queue.runs(limit: 1, project: nil).map(\.id.text) == ["00000002"])
            #expect(try await test.queue.runs(limit: 10, project: "other").map(\.id.text) == ["00000001"])
            #expect(try await test.queue.runs(limit: 10, project: "none").isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func showsJobsAndWhatTheyWereMadeFrom(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let jobs = [
                job(0, specification: #"{"a":1}"#), job(1, specification: #"{"a":1}"#, needLabels: ["x", "a,\"b"]),
                job(2, specification: #"{"a": 1}"#, needGPUMegabytes: 5),
            ]
            let run = try await test.queue.submit(submission(jobs))
            let records = try await test.queue.jobs(of: run.id)
            #expect(records.map(\.id.name) == ["k3f9x2a0.0", "k3f9x2a0.1", "k3f9x2a0.2"])
            #expect(records[1].needLabels == ["x", "a,\"b"])
            #expect(records[2].needGPUMegabytes == 5)
            for (record, job) in zip(records, jobs) {
                #expect(try await test.queue.specification(of: record.id) == job.specification)
            }
            #expect(try await test.queue.specification(of: run.id) == #"{"file": "demo.yaml"}"#)
            #expect(try await test.queue.job(matching: "k3f.2") == records[2])
            for (name, code) in [("k3f", QueueError.Code.invalid), ("k3f.3", .notFound), ("k4.0", .notFound)] {
                let error = await #expect(throws: QueueError.self) { try await test.queue.job(matching: name) }
                #expect(error?.code == code)
            }
            let unknown = JobID(number: 999, run: run.id, ordinal: 9)
            let none = await #expect(throws: QueueError.self) { try await test.queue.shards(of: unknown) }
            #expect(none?.code == .notFound)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aNameStandsForOneModel(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let model = ModelRecord(
                name: "smol", path: "models/smol.gguf", sha256: hexadecimalA, bytes: 10, architecture: "llama",
                parameters: 135_000_000, contextLength: 2048, vocabularySize: 49_152, tokenizerSHA256: hexadecimalB,
                quantization: "Q8_0")
            let added = try await test.queue.addModel(model)
            #expect(added.addedAt > model.addedAt)
            #expect(try await test.queue.addModel(model) == added)
            var other = model
            other.sha256 = hexadecimalB
            other.path = "models/other.gguf"
            let conflict = await #expect(throws: QueueError.self) { try await test.queue.addModel(other) }
            #expect(conflict?.code == .conflict)
            #expect(conflict?.message.contains("models/smol.gguf") == true)
            #expect(conflict?.message.contains("models/other.gguf") == true)
            #expect(try await test.queue.model(named: "smol") == added)
            #expect(try await test.queue.addModel(other, replacing: true).path == "models/other.gguf")
            #expect(try await test.queue.models().map(\.sha256) == [hexadecimalB])
            // The same file at another place: it was moved.
            var moved = other
            moved.path = "models/moved.gguf"
            #expect(try await test.queue.addModel(moved).path == "models/other.gguf")
            #expect(try await test.queue.addModel(moved, replacing: true).path == "models/moved.gguf")
            let none = await #expect(throws: QueueError.self) { try await test.queue.model(named: "big") }
            #expect(none?.code == .notFound)
            #expect(none?.message.contains("smol") == true)
        }
    }
}
