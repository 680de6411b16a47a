import JobQueue
import Testing

@Suite struct ClaimTests {
    @Test(arguments: Implementation.allCases)
    func carriesAllThatAWorkerNeeds(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(specification: #"{"limit": 7}"#, maxAttempts: 5)]))
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 2)
            #expect(claimed.map(\.index) == [0, 1])
            #expect(
                claimed.map(\.range) == [ShardRange(rowStart: 0, rowCount: 10), ShardRange(rowStart: 10, rowCount: 10)])
            for shard in claimed {
                #expect(shard.jobName == "k3f9x2a0.0")
                #expect(shard.run.text == "k3f9x2a0")
                #expect(shard.specification == #"{"limit": 7}"#)
                #expect(shard.epoch == Epoch(1))
                #expect(shard.incarnation == lease.incarnation)
                #expect(shard.worker == lease.worker)
                #expect((shard.attempt, shard.maxAttempts) == (1, 5))
                #expect((shard.task, shard.model, shard.modelSHA256) == ("task0", "model", hexadecimalA))
            }
        }
    }

    /// What a worker's node lacks something for stays for others.
    @Test(arguments: Implementation.allCases)
    func leavesOutTheJobsThatAWorkerNames(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(0, shards: 1), job(1, shards: 1)]))
            let jobs = try await test.queue.jobs(of: try await test.queue.run(matching: "k3f9x2a0").id).map(\.id)
            let first = try await test.queue.register(worker())
            let second = try await test.queue.register(worker())
            #expect(try await test.queue.claim(first, ClaimRequest(excluding: jobs)).isEmpty)
            let other = ClaimRequest(limit: 9, excluding: [jobs[0]])
            #expect(try await test.queue.claim(first, other).map(\.key.description) == ["k3f9x2a0.1/0"])
            #expect(try await test.queue.claim(first, other).isEmpty)
            #expect(try await test.queue.claim(second, limit: 9).map(\.key.description) == ["k3f9x2a0.0/0"])
        }
    }

    /// A model's file that a node does not have, and thousands of jobs that need it.
    @Test(arguments: Implementation.allCases)
    func leavesOutTheModelsThatAWorkerNames(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let other = String(repeating: "b", count: 64)
            var jobs = [job(0, shards: 1), job(1, shards: 1), job(2, shards: 1)]
            jobs[1].modelSHA256 = other
            try await test.queue.submit(submission(jobs))
            let lease = try await test.queue.register(worker())
            #expect(
                try await test.queue.claim(lease, ClaimRequest(without: [.anywhere(hexadecimalA), .anywhere(other)]))
                    .isEmpty)
            let without = ClaimRequest(limit: 9, without: [.anywhere(hexadecimalA)])
            #expect(try await test.queue.claim(lease, without).map(\.key.description) == ["k3f9x2a0.1/0"])
            // Nor what it preferred, because it had it loaded.
            #expect(try await test.queue.claim(lease, without).isEmpty)
            #expect(try await test.queue.claim(lease, ClaimRequest(limit: 9, without: [.anywhere(other)])).count == 1)
            #expect(try await test.queue.claim(lease, without).isEmpty)
        }
    }

    /// Where one run looks for a model, another one may not.
    @Test(arguments: Implementation.allCases)
    func leavesOutWhereARunLooksForAModel(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            var jobs = [job(0, shards: 1), job(1, shards: 1)]
            jobs[1].model = "its other name"
            try await test.queue.submit(submission("00000001", jobs))
            try await test.queue.submit(submission("00000002", [job(0, shards: 1)]))
            let lease = try await test.queue.register(worker())
            let missing = MissingModel.inRun(try RunID("00000001"), jobs[0].model)
            let without = ClaimRequest(limit: 9, without: [missing])
            #expect(try await test.queue.claim(lease, without).map(\.key.description) == ["00000001.1/0"])
            #expect(try await test.queue.claim(lease, without).map(\.key.description) == ["00000002.0/0"])
            #expect(try await test.queue.claim(lease, without).isEmpty)
            #expect(try await test.queue.claim(lease, limit: 9).map(\.key.description) == ["00000001.0/0"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func takesOneJobAtATimeAndNothingTwice(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(0, shards: 3), job(1, shards: 2)]))
            let first = try await test.queue.register(worker())
            let second = try await test.queue.register(worker())
            #expect(
                try await test.queue.claim(first, limit: 2).map(\.key.description) == ["k3f9x2a0.0/0", "k3f9x2a0.0/1"])
            #expect(try await test.queue.claim(second, limit: 9).map(\.key.description) == ["k3f9x2a0.0/2"])
            #expect(
                try await test.queue.claim(second, limit: 9).map(\.key.description) == ["k3f9x2a0.1/0", "k3f9x2a0.1/1"])
            #expect(try await test.queue.claim(first, limit: 9).isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aHigherTierGoesFirst(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission("00000001", priority: .low, [job(shards: 1)]))
            try await test.queue.submit(submission("00000002", [job(shards: 1)]))
            try await test.queue.submit(submission("00000003", priority: .urgent, [job(shards: 1)]))
            try await test.queue.submit(submission("00000004", priority: .high, [job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            var order: [String] = []
            while let shard = try await test.queue.claim(lease, limit: 5).first {
                order.append(shard.run.text)
            }
            #expect(order == ["00000003", "00000004", "00000002", "00000001"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func projectsTakeTurns(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            // Cold models, so that affinity has no say: each job has another one.
            let models = (0..<8).map { String(repeating: "\($0)", count: 64) }
            try await test.queue.submit(
                submission("00000001", project: "many", (0..<4).map { job($0, shards: 1, model: models[$0]) }))
            try await test.queue.submit(
                submission("00000002", project: "few", (0..<2).map { job($0, shards: 1, model: models[$0 + 4]) }))
            let lease = try await test.queue.register(worker())
            var order: [String] = []
            while let shard = try await test.queue.claim(lease, limit: 1).first {
                order.append(shard.run.text)
            }
            #expect(order == ["00000001", "00000002", "00000001", "00000002", "00000001", "00000001"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func prefersTheWarmModelButNotForEver(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(
                submission([job(0, shards: 4, model: hexadecimalA), job(1, shards: 4, model: hexadecimalB)]))
            let lease = try await test.queue.register(worker(warmModels: [hexadecimalB]), ttl: .seconds(3600))
            #expect(try await test.queue.claim(lease, limit: 1).first?.job.ordinal == 1)
            try await test.advance(600)
            #expect(try await test.queue.claim(lease, limit: 1).first?.job.ordinal == 1)
            try await test.advance(700)
            #expect(try await test.queue.claim(lease, limit: 1).first?.job.ordinal == 0)
            #expect(try await test.queue.workers().first?.warmModels == [hexadecimalA])
        }
    }

    @Test(arguments: Implementation.allCases)
    func givesAWorkerOnlyWhatItCanRun(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(
                submission([
                    job(0, shards: 1, needLabels: ["h100", "nvlink"]), job(1, shards: 1, needGPUMegabytes: 80_000),
                ]))
            let small = try await test.queue.register(worker(labels: ["h100"], gpuMegabytes: 40_000))
            let large = try await test.queue.register(worker(labels: ["h100"], gpuMegabytes: 80_000))
            let linked = try await test.queue.register(worker(labels: ["nvlink", "cuda", "h100"]))
            #expect(try await test.queue.claim(small, limit: 9).isEmpty)
            #expect(try await test.queue.claim(linked, limit: 9).map(\.job.ordinal) == [0])
            #expect(try await test.queue.claim(large, limit: 9).map(\.job.ordinal) == [1])
        }
    }

    @Test(arguments: Implementation.allCases)
    func canBeKeptToOneRun(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission("00000001"))
            try await test.queue.submit(submission("00000002"))
            let lease = try await test.queue.register(worker())
            let run = try RunID("00000002")
            #expect(try await test.queue.claim(lease, limit: 9, run: run).map(\.run) == [run, run, run])
            #expect(try await test.queue.claim(lease, limit: 9, run: run).isEmpty)
            #expect(try await test.queue.openShardCount(run: run) == 3)
            #expect(try await test.queue.openShardCount(run: nil) == 6)
        }
    }

    @Test(arguments: Implementation.allCases)
    func needsALease(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission())
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            // A lease that ran out is good for claims, too, until somebody has noticed.
            try await test.advance(61)
            #expect(try await test.queue.claim(lease, limit: 1).count == 1)
            try await test.queue.reap()
            let lost = await #expect(throws: QueueError.self) { try await test.queue.claim(lease, limit: 1) }
            #expect(lost?.code == .leaseLost)
            let wrong = await #expect(throws: QueueError.self) { try await test.queue.claim(lease, limit: 0) }
            #expect(wrong?.code == .invalid)
        }
    }
}
