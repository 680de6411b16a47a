import JobQueue
import Testing

@Suite struct LeaseTests {
    /// A note quotes what was read from files: it must not keep a lease from being renewed.
    @Test(arguments: Implementation.allCases)
    func aNoteThatCanNotBeStoredAsItIsCostsNoLease(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            let (bad, kept) = (
                "a\0b" + String(repeating: "é", count: 2000), "ab" + String(repeating: "é", count: 995) + "..."
            )
            _ = try await test.queue.heartbeat(lease, holding: [], note: bad)
            #expect(try await test.queue.workers().map(\.note) == [kept])
            let claimed = try await test.queue.claim(lease, limit: 1)
            #expect(try await test.queue.release(claimed, note: bad).count == 1)
            #expect(try await test.queue.attempts(of: claimed[0].job).map(\.error) == [kept])
            try await test.queue.deregister(lease, note: bad)
            #expect(try await test.queue.workers().map(\.note) == [kept])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aHeartbeatKeepsTheLeaseAndTellsProgress(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let claimed = try await test.queue.claim(lease, limit: 1)
            for step in 1...3 {
                try await test.advance(50)
                let reply = try await test.queue.heartbeat(
                    lease, holding: [claimed[0].progress(samples: 3 * step, tokens: 100 * step)])
                #expect(reply == HeartbeatReply(ttl: .seconds(60)))
                #expect(try await test.queue.reap() == ReapReport())
            }
            let progress = try await test.queue.onlyJob().progress
            #expect((progress.samples, progress.samplesDone, progress.tokensDone) == (20, 9, 300))
            #expect((progress.shards.running, progress.shards.ready) == (1, 1))
            // Nonsense is cut to what can be.
            _ = try await test.queue.heartbeat(lease, holding: [claimed[0].progress(samples: 5000, tokens: -1)])
            #expect(try await test.queue.onlyJob().progress.samplesDone == 10)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aLeaseThatRanOutCanBeRenewedUntilSomebodyReaps(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let claimed = try await test.queue.claim(lease, limit: 1)
            try await test.advance(100)
            let reply = try await test.queue.heartbeat(lease, holding: claimed.map { $0.progress() })
            #expect(reply.lost.isEmpty)
            try await test.advance(61)
            #expect(try await test.queue.reap().workers == 1)
            let error = await #expect(throws: QueueError.self) { try await test.queue.heartbeat(lease, holding: []) }
            #expect(error?.code == .leaseLost)
            #expect(try await test.queue.workers().map(\.state) == [.dead])
        }
    }

    @Test(arguments: Implementation.allCases)
    func threeLostWorkersMakeAShardSuspect(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2, maxAttempts: 1)]))
            for loss in 1...3 {
                let lease = try await test.queue.register(worker(), ttl: .seconds(60))
                let claimed = try await test.queue.claim(lease, limit: 1)
                #expect(claimed.map(\.index) == [0])
                // A lost worker burns no attempt.
                #expect(claimed.map(\.attempt) == [1])
                try await test.advance(61)
                let report = try await test.queue.reap()
                #expect(report == ReapReport(workers: 1, requeued: loss < 3 ? 1 : 0, held: loss < 3 ? 0 : 1))
            }
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 5)
            #expect(claimed.map(\.index) == [1])
            let record = try #require(try await test.queue.shards(of: claimed[0].job).first)
            #expect((record.state, record.losses, record.failures) == (.held, 3, 0))
            #expect(record.reason?.contains("suspected poison") == true)
            #expect(
                try await test.queue.attempts(of: claimed[0].job).map(\.outcome) == [.lost, .lost, .lost, .running])
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            #expect(try await test.queue.onlyJob().state == .held)
            // A worker that drains the queue must not wait for it.
            #expect(try await test.queue.openShardCount(run: nil) == 0)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aHeartbeatComparesWhatBothSidesKnow(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 3)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let claimed = try await test.queue.claim(lease, limit: 3)
            // A claim whose answer may still be under way is left alone.
            #expect(try await test.queue.heartbeat(lease, holding: [claimed[0].progress()]).orphaned.isEmpty)
            try await test.advance(31)
            // The worker knows of 0, has given 1 back, and never heard of 2.
            try await test.queue.release([claimed[1]])
            let reply = try await test.queue.heartbeat(lease, holding: [claimed[0].progress(), claimed[1].progress()])
            #expect(reply.lost == [claimed[1].key])
            #expect(reply.orphaned == [claimed[2].key])
            #expect(try await test.queue.shards(of: claimed[0].job).map(\.state) == [.running, .ready, .ready])
            // What was committed a moment ago is not lost.
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            #expect(try await test.queue.heartbeat(lease, holding: [claimed[0].progress()]).lost.isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func leavingGivesEverythingBack(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 2)
            #expect(try await test.queue.workers().map(\.holding) == [2])
            try await test.queue.deregister(lease)
            try await test.queue.deregister(lease)
            #expect(try await test.queue.workers().map(\.state) == [.left])
            #expect(try await test.queue.shards(of: claimed[0].job).map(\.state) == [.ready, .ready])
            #expect(try await test.queue.shards(of: claimed[0].job).map(\.losses) == [0, 0])
            let error = await #expect(throws: QueueError.self) { try await test.queue.claim(lease, limit: 1) }
            #expect(error?.code == .leaseLost)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aDrainedWorkerGetsNothingMore(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 1)
            try await test.queue.drain(lease.worker)
            #expect(try await test.queue.claim(lease, limit: 1).isEmpty)
            #expect(try await test.queue.heartbeat(lease, holding: claimed.map { $0.progress() }).isDrainRequested)
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            let error = await #expect(throws: QueueError.self) { try await test.queue.drain(WorkerID(999)) }
            #expect(error?.code == .notFound)
        }
    }
}
