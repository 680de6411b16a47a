import JobQueue
import Testing

/// Shards that a worker has fetched ahead of their computation.
@Suite struct FetchedShardTests {
    @Test(arguments: Implementation.allCases)
    func anIdleWorkerTakesOverWhatAnotherHasNotBegun(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2)]))
            let busy = try await queue.register(worker())
            let idle = try await queue.register(worker())
            let first = try #require(try await queue.claim(busy, limit: 1).first)
            let fetched = try #require(try await queue.claim(busy, ClaimRequest(isPrefetch: true)).first)
            #expect([first.index, fetched.index] == [0, 1])
            // For a moment it is left to the worker that has just fetched it; a database's clock goes on by itself.
            if implementation == .memory {
                #expect(try await queue.claim(idle, limit: 1).isEmpty)
            }
            try await test.advance(5)
            // Fetching ahead is no reason to take anything from anybody.
            #expect(try await queue.claim(idle, ClaimRequest(isPrefetch: true)).isEmpty)
            #expect(try await queue.claim(idle, ClaimRequest(without: [.anywhere(hexadecimalA)])).isEmpty)
            let jobs = try await queue.jobs(of: try await queue.run(matching: "k3f9x2a0").id).map(\.id)
            #expect(try await queue.claim(idle, ClaimRequest(excluding: jobs)).isEmpty)
            let taken = try #require(try await queue.claim(idle, limit: 1).first)
            #expect((taken.key, taken.epoch) == (fetched.key, Epoch(2)))
            #expect(try await queue.begin([fetched]).isEmpty)
            #expect(try await queue.begin([first]) == [first.key])
            #expect(try await queue.commit(fetched, publication(of: fetched)) == .fenced)
            #expect(try await queue.commit(taken, publication(of: taken)) == .committed)
            #expect(try await queue.attempts(of: taken.job).map(\.outcome) == [.running, .released, .done])
        }
    }

    @Test(arguments: Implementation.allCases)
    func whatHasBegunIsTakenFromNobody(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2)]))
            let busy = try await queue.register(worker())
            let idle = try await queue.register(worker())
            let held = try await queue.claim(busy, ClaimRequest(limit: 2, isPrefetch: true))
            #expect(try await queue.begin(held) == held.map(\.key))
            try await test.advance(5)
            #expect(try await queue.claim(idle, limit: 1).isEmpty)
            #expect(try await queue.commit(held[0], publication(of: held[0])) == .committed)
        }
    }

    @Test(arguments: Implementation.allCases)
    func onlyTheShardThatWasComputedIsSuspectedOfPoison(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2)]))
            for _ in 1...3 {
                let lease = try await queue.register(worker(), ttl: .seconds(60))
                #expect(try await queue.claim(lease, limit: 1).map(\.index) == [0])
                #expect(try await queue.claim(lease, ClaimRequest(isPrefetch: true)).map(\.index) == [1])
                try await test.advance(61)
                try await queue.reap()
            }
            let shards = try await queue.shards(of: try await queue.onlyJob().id)
            #expect(shards.map(\.state) == [.held, .ready])
            #expect(shards.map(\.losses) == [3, 0])
        }
    }

    /// A result of a shard that is held is as good as any: nobody else has it.
    @Test(arguments: Implementation.allCases)
    func aResultThatComesAfterTheShardWasHeldCounts(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 1)]))
            var last: ClaimedShard?
            for _ in 1...3 {
                let lease = try await queue.register(worker(), ttl: .seconds(60))
                last = try await queue.claim(lease, limit: 1).first
                try await test.advance(61)
                try await queue.reap()
            }
            let shard = try #require(last)
            #expect(try await queue.shards(of: shard.job).map(\.state) == [.held])
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            #expect(try await queue.shards(of: shard.job).map(\.state) == [.done])
            #expect(try await queue.onlyJob().state == .done)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aClaimCarriesThePaceOfItsModel(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 3)]))
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(shard.secondsPerSample == nil)
            #expect(try await queue.commit(shard, publication(of: shard, seconds: 5)) == .committed)
            try await queue.reap()
            #expect(try await queue.claim(lease, limit: 2).map(\.secondsPerSample) == [0.5, 0.5])
        }
    }

    @Test(arguments: Implementation.allCases)
    func workersSayWhatIsWrongWithThem(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let lease = try await queue.register(worker())
            _ = try await queue.heartbeat(lease, holding: [], note: "the store does not answer")
            #expect(try await queue.workers().map(\.note) == ["the store does not answer"])
            _ = try await queue.heartbeat(lease, holding: [])
            #expect(try await queue.workers().map(\.note) == [nil])
            try await queue.deregister(lease, note: "stalled")
            #expect(try await queue.workers().map(\.note) == ["stalled"])
        }
    }
}
