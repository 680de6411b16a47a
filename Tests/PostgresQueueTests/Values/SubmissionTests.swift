import Testing

@testable import JobQueue

@Suite struct SubmissionTests {
    private static let good: @Sendable () -> RunSubmission = {
        RunSubmission(
            id: RunID(unchecked: "k3f9x2a0"), name: "demo", user: "ada", specification: "{}", jobs: [job(0), job(1)])
    }

    private static let changes: [@Sendable (inout RunSubmission) -> Void] = [
        { $0.name = "other" }, { $0.project = "other" }, { $0.user = "bob" }, { $0.priority = .high },
        { $0.specification = "{ }" }, { $0.jobs[0].task = "x" }, { $0.jobs[1].model = "x" },
        { $0.jobs[1].modelSHA256 = hexadecimalB }, { $0.jobs[0].specification = "[]" },
        { $0.jobs[0].needLabels = ["x"] }, { $0.jobs[0].needGPUMegabytes = 1 }, { $0.jobs[0].maxAttempts = 4 },
        { $0.jobs[0].shards = [ShardRange(rowStart: 0, rowCount: 30)] }, { $0.jobs.removeLast() },
        { $0.jobs[0].mixed = true }, { $0.jobs[0].work = hexadecimalA }, { $0.jobs[1].work = hexadecimalB },
    ]

    @Test func theDigestSeesEverything() {
        var digests: Set<String> = [Self.good().digest]
        for change in Self.changes {
            var changed = Self.good()
            change(&changed)
            digests.insert(changed.digest)
        }
        #expect(digests.count == Self.changes.count + 1)
        #expect(Self.good().digest == Self.good().digest)
    }

    private static let mistakes: [(String, @Sendable (inout RunSubmission) -> Void)] = [
        ("no jobs", { $0.jobs = [] }), ("name", { $0.name = "" }), ("project", { $0.project = "a\0b" }),
        ("user", { $0.user = String(repeating: "x", count: 201) }), ("numbered in order", { $0.jobs.swapAt(0, 1) }),
        ("sha256", { $0.jobs[0].modelSHA256 = hexadecimalA.uppercased() }),
        ("works on", { $0.jobs[1].work = "abc" }), ("attempts", { $0.jobs[0].maxAttempts = 0 }),
        ("GPU memory", { $0.jobs[0].needGPUMegabytes = -1 }),
        ("label", { $0.jobs[1].needLabels = [""] }), ("samples", { $0.jobs[0].sampleCount = 0 }),
        ("there are 31 rows", { $0.jobs[0].sampleCount = 31 }), ("shard 2", { $0.jobs[0].sampleCount = 29 }),
        ("shard 1", { $0.jobs[0].shards[1].rowStart = 11 }), ("shard 0", { $0.jobs[0].shards[0].rowCount = 0 }),
        ("shard 0", { $0.jobs[0].shards[0].rowCount = .max }), ("there are 30 rows", { $0.jobs[0].shards = [] }),
    ]

    @Test(arguments: mistakes.indices)
    func sayWhatIsWrong(index: Int) throws {
        let (word, mistake) = Self.mistakes[index]
        var wrong = Self.good()
        try wrong.validate()
        mistake(&wrong)
        let error = #expect(throws: QueueError.self) { try wrong.validate() }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }
}
