import JobQueue
import Testing

@Suite struct HoldTests {
    @Test(arguments: Implementation.allCases)
    func aHeldJobFinishesWhatRunsAndGivesNothingMore(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(0, shards: 3), job(1, shards: 1)]))
            let lease = try await queue.register(worker())
            let running = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.hold(.job(running.job), reason: "ada looks at it") == 1)
            #expect(try await queue.hold(.job(running.job), reason: "again") == 0)
            // What runs goes on; nothing else of it is claimed, and the other job is not touched.
            #expect(try await queue.heartbeat(lease, holding: [running.progress()]).cancelled == [])
            #expect(try await queue.claim(lease, limit: 9).map(\.jobName) == ["k3f9x2a0.1"])
            #expect(try await queue.claim(lease, limit: 9).isEmpty)
            #expect(try await queue.commit(running, publication(of: running)) == .committed)
            let held = try await queue.onlyJob()
            #expect((held.state, held.gate, held.reason) == (.held, .held, "ada looks at it"))
            #expect((held.progress.shards.held, held.progress.shards.done) == (2, 1))
            #expect(try await queue.shards(of: running.job).map(\.state) == [.done, .held, .held])
            // Only the other job's shard, which runs, is still open.
            #expect(try await queue.openShardCount(run: running.run) == 1)

            #expect(try await queue.release(.run(running.run)) == 1)
            #expect(try await queue.onlyJob().gate == .open)
            #expect(try await queue.claim(lease, limit: 9).map(\.index) == [1, 2])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aHeldJobWithARetryDueStaysHeld(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 1)]))
            let lease = try await queue.register(worker(), ttl: .seconds(86_400))
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.fail(shard, failure()).wait != nil)
            try await queue.hold(.run(shard.run), reason: "wait")
            try await test.advance(700)
            try await queue.reap()
            #expect(try await queue.claim(lease, limit: 1).isEmpty)
            try await queue.release(.run(shard.run))
            #expect(try await queue.claim(lease, limit: 1).count == 1)
        }
    }

    @Test(arguments: Implementation.allCases)
    func releasingSuspectedPoisonCountsItsLossesAnew(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 1)]))
            for _ in 0..<3 {
                let lease = try await queue.register(worker(), ttl: .seconds(60))
                #expect(try await queue.claim(lease, limit: 1).count == 1)
                try await test.advance(61)
                try await queue.reap()
            }
            let held = try await queue.onlyJob()
            #expect((held.state, held.gate) == (.held, .open))
            #expect(try await queue.release(.job(held.id)) == 1)
            let shard = try #require(try await queue.shards(of: held.id).first)
            #expect((shard.state, shard.losses, shard.reason) == (.ready, 0, nil))
        }
    }

    @Test(arguments: Implementation.allCases)
    func moreFailuresThanAllowedHoldTheJob(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 5, maxFailures: 1)]))
            let lease = try await queue.register(worker())
            for _ in 0..<2 {
                #expect(try await queue.onlyJob().gate == .open)
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                #expect(try await queue.fail(shard, failure(isPermanent: true)) == .failed)
            }
            let job = try await queue.onlyJob()
            #expect((job.gate, job.reason) == (.held, "2 shards failed, max_failures is 1"))
            #expect(try await queue.claim(lease, limit: 9).isEmpty)
            #expect(try await queue.retry(.job(job.id), onlyFailed: true) == 2)
            #expect(try await queue.claim(lease, limit: 9).count == 5)
        }
    }
}
