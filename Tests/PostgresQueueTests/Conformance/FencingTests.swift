import JobQueue
import Testing

@Suite struct FencingTests {
    @Test(arguments: Implementation.allCases)
    func aCommitMakesTheResultVisibleOnce(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 2)
            let id = try await test.queue.onlyJob().id
            #expect(try await test.queue.results(of: id).isEmpty)
            // The results come in the order of the shards, not of the commits.
            for shard in claimed.reversed() {
                #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
                #expect(try await test.queue.commit(shard, publication(of: shard)) == .already)
            }
            let results = try await test.queue.results(of: id)
            #expect(results.map(\.key.index) == [0, 1])
            #expect(results.map(\.publication) == claimed.map { publication(of: $0) })
            #expect(results.map(\.incarnation) == [lease.incarnation, lease.incarnation])
            #expect(results.map(\.worker) == [lease.worker, lease.worker])
            let record = try await test.queue.onlyJob()
            #expect(record.state == .done)
            #expect(record.progress.samplesDone == 20)
            #expect(record.progress.tokensDone == 140)
            #expect(record.finishedAt != nil)
        }
    }

    @Test(arguments: Implementation.allCases)
    func anotherFileOfTheSameClaimIsFenced(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
            #expect(try await test.queue.commit(shard, publication(of: shard, sha256: hexadecimalA)) == .fenced)
            #expect(try await test.queue.results(of: shard.job).map(\.publication.sha256) == [hexadecimalB])
        }
    }

    /// A worker that was declared dead asks which of its claims are still worth computing.
    @Test(arguments: Implementation.allCases)
    func onlyWhatOthersHaveClaimedIsSuperseded(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 4), job(1, shards: 1)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let claimed = try await test.queue.claim(lease, limit: 4) + test.queue.claim(lease, limit: 1)
            #expect(claimed.count == 5)
            #expect(try await test.queue.supersededClaims(among: []).isEmpty)
            #expect(try await test.queue.supersededClaims(among: claimed).isEmpty)
            #expect(try await test.queue.commit(claimed[3], publication(of: claimed[3])) == .committed)
            try await test.advance(61)
            #expect(try await test.queue.reap().requeued == 4)
            // Nobody has them: their results would count.
            #expect(try await test.queue.supersededClaims(among: claimed).isEmpty)
            let heir = try await test.queue.register(worker())
            #expect(try await test.queue.claim(heir, limit: 1).map(\.key) == [claimed[0].key])
            #expect(try await test.queue.supersededClaims(among: claimed) == [claimed[0]])
            _ = try await test.queue.cancel(.job(claimed[4].job))
            #expect(try await test.queue.supersededClaims(among: claimed) == [claimed[0], claimed[4]])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aZombieCannotPublish(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let slow = try await test.queue.register(worker(), ttl: .seconds(60))
            let zombie = try #require(try await test.queue.claim(slow, limit: 1).first)
            try await test.advance(61)
            #expect(try await test.queue.reap() == ReapReport(workers: 1, requeued: 1))
            let fresh = try await test.queue.register(worker())
            let shard = try #require(try await test.queue.claim(fresh, limit: 1).first)
            #expect(shard.key == zombie.key)
            #expect(shard.epoch == Epoch(2))
            #expect(try await test.queue.commit(zombie, publication(of: zombie)) == .fenced)
            #expect(try await test.queue.fail(zombie, failure()) == .fenced)
            #expect(try await test.queue.release([zombie]).isEmpty)
            #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
            #expect(try await test.queue.commit(zombie, publication(of: zombie)) == .fenced)
            #expect(try await test.queue.results(of: shard.job).map(\.epoch) == [Epoch(2)])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aLateResultCountsWhileNobodyElseHasTheShard(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(60))
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            try await test.advance(61)
            try await test.queue.reap()
            #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
            #expect(try await test.queue.attempts(of: shard.job).map(\.outcome) == [.lost, .done])
            let other = try await test.queue.register(worker())
            #expect(try await test.queue.claim(other, limit: 1).isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func theSameEpochOfAnotherLifeIsFenced(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            // As after a fail-over that forgot a claim: the same number, issued to somebody else.
            let twin = ClaimedShard(
                key: shard.key, worker: shard.worker, epoch: shard.epoch, incarnation: .random(), range: shard.range,
                attempt: 1, maxAttempts: 3, task: shard.task, model: shard.model, modelSHA256: shard.modelSHA256,
                specification: shard.specification)
            #expect(try await test.queue.commit(twin, publication(of: twin)) == .fenced)
            #expect(try await test.queue.fail(twin, failure()) == .fenced)
            #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aResultThatCannotBeRightIsRefused(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            var short = publication(of: shard)
            short.samples = 9
            var outside = publication(of: shard)
            outside.path = "runs/../../etc/passwd"
            var absolute = publication(of: shard)
            absolute.path = "/tmp/x.h5"
            var unhashed = publication(of: shard)
            unhashed.sha256 = "abc"
            for wrong in [short, outside, absolute, unhashed] {
                let error = await #expect(throws: QueueError.self) { try await test.queue.commit(shard, wrong) }
                #expect(error?.code == .invalid)
            }
            #expect(try await test.queue.results(of: shard.job).isEmpty)
            #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
        }
    }
}
