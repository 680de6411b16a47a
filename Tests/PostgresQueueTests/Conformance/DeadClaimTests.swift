import FoundationEssentials
import JobQueue
import Testing

/// What may be thrown away: only results that nothing could ever make visible.
@Suite struct DeadClaimTests {
    @Test(arguments: Implementation.allCases)
    func aClaimThatCanStillCommitIsAlive(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 3)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let claimed = try await test.queue.claim(lease, limit: 3)
            let references = claimed.map(\.reference)
            #expect(try await test.queue.deadClaims(among: references).isEmpty)
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            guard case .retry = try await test.queue.fail(claimed[1], failure()) else {
                Issue.record("the shard is not tried again")
                return
            }
            try await test.advance(61)
            // The worker is dead, its shards are ready again; a result that comes now still counts.
            try await test.queue.reap()
            #expect(try await test.queue.deadClaims(among: references).isEmpty)
            #expect(try await test.queue.commit(claimed[2], publication(of: claimed[2])) == .committed)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aClaimIsDeadOnceTheShardIsAnothers(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 3)]))
            let slow = try await test.queue.register(worker(), ttl: .seconds(60))
            let zombies = try await test.queue.claim(slow, limit: 2)
            try await test.advance(61)
            try await test.queue.reap()
            let fresh = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(fresh, limit: 3)
            #expect(try await test.queue.deadClaims(among: zombies.map(\.reference)) == Set(zombies.map(\.reference)))
            #expect(try await test.queue.deadClaims(among: claimed.map(\.reference)).isEmpty)
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            // What failed or was cancelled may be tried again, and then its last claim may still come through.
            #expect(try await test.queue.fail(claimed[1], failure(isPermanent: true)) == .failed)
            try await test.queue.cancel(claimed[2].run)
            try await test.queue.release([claimed[2]])
            let all = (zombies + claimed).map(\.reference)
            #expect(try await test.queue.deadClaims(among: all) == Set(zombies.map(\.reference)))
        }
    }

    /// What is archived never changes any more, so that nothing can come through.
    @Test(arguments: Implementation.allCases)
    func everyClaimWithoutAResultIsDeadOnceItsRunIsArchived(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let claimed = try await test.queue.claim(try await test.queue.register(worker()), limit: 2)
            let references = claimed.map(\.reference)
            #expect(try await test.queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            #expect(try await test.queue.fail(claimed[1], failure(isPermanent: true)) == .failed)
            #expect(try await test.queue.deadClaims(among: references).isEmpty)
            try await test.advance(10)
            // Device time must be charged first, which waits for the transactions of tests beside this one.
            var archived = 0
            for _ in 0..<2000 where archived == 0 {
                try await test.queue.reap()
                archived = try await test.queue.archive(olderThan: .zero, limit: 10)
            }
            #expect(archived == 1)
            #expect(try await test.queue.deadClaims(among: references) == [references[1]])
        }
    }

    /// A store may be shared with another queue, or be older than this database.
    @Test(arguments: Implementation.allCases)
    func whatTheQueueDoesNotKnowIsNotDead(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            let own = try #require(try await test.queue.claim(lease, limit: 1).first).reference
            var (otherRun, otherJob, otherShard) = (own, own, own)
            otherRun.run = try RunID("zzzzzzzz")
            otherJob.ordinal = 1
            otherShard.shard = 1
            #expect(try await test.queue.deadClaims(among: [otherRun, otherJob, otherShard]).isEmpty)
            #expect(try await test.queue.deadClaims(among: []).isEmpty)
        }
    }

    @Test func onlyNamesThatAJobCanHaveAreRead() throws {
        let incarnation = Incarnation(UUID())
        let read = ClaimReference(jobName: "k3f9x2a0.2", shard: 3, epoch: 1, incarnation: incarnation)
        #expect(
            try read
                == ClaimReference(
                    run: RunID("k3f9x2a0"), ordinal: 2, shard: 3, epoch: Epoch(1), incarnation: incarnation))
        for name in ["k3f9x2a0", "k3f9x2a0.", "K3F9X2A0.2", "k3f9x2a0.02", "k3f9.2", "k3f9x2a0.2.1", "..", ""] {
            #expect(ClaimReference(jobName: name, shard: 3, epoch: 1, incarnation: incarnation) == nil, "\(name)")
        }
        #expect(ClaimReference(jobName: "k3f9x2a0.2", shard: 1 << 40, epoch: 1, incarnation: incarnation) == nil)
    }
}

extension ClaimedShard {
    fileprivate var reference: ClaimReference {
        ClaimReference(run: run, ordinal: job.ordinal, shard: index, epoch: epoch, incarnation: incarnation)
    }
}
