import JobQueue
import Testing

@Suite struct RetryTests {
    @Test(arguments: Implementation.allCases)
    func aFailureIsTriedAgainAfterItsBackoff(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1, maxAttempts: 3)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(3600))
            for attempt in 1...2 {
                let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
                #expect(shard.attempt == attempt)
                let wait = try #require(try await test.queue.fail(shard, failure("no \(attempt)")).wait)
                #expect(wait >= .zero && wait <= .seconds(attempt == 1 ? 5 : 10))
                let record = try #require(try await test.queue.shards(of: shard.job).first)
                #expect(record.state == .blocked)
                #expect(record.failures == attempt)
                #expect(record.notBefore != nil)
                try await test.advance(10)
            }
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            #expect(try await test.queue.fail(shard, failure("no 3")) == .failed)
            try await test.advance(3000)
            #expect(try await test.queue.claim(lease, limit: 1).isEmpty)
            let record = try #require(try await test.queue.shards(of: shard.job).first)
            #expect((record.state, record.reason, record.failures) == (.failed, "no 3", 3))
            let attempts = try await test.queue.attempts(of: shard.job)
            #expect(attempts.map(\.error) == ["no 1", "no 2", "no 3"])
            #expect(attempts.map(\.epoch) == [Epoch(1), Epoch(2), Epoch(3)])
            #expect(attempts.allSatisfy { $0.outcome == .failed && $0.seconds == 0.5 && $0.host == "node1" })
            #expect(try await test.queue.run(matching: "k3f9x2a0").state == .failed)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aBlockedShardWaitsForItsTime(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(3600))
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            _ = try await test.queue.fail(shard, failure())
            // The jitter may be next to nothing; some minutes back make sure that it is not over.
            try await test.advance(-300)
            #expect(try await test.queue.claim(lease, limit: 1).isEmpty)
            #expect(try await test.queue.promote() == 0)
            #expect(try await test.queue.openShardCount(run: shard.run) == 1)
            try await test.advance(310)
            #expect(try await test.queue.promote() == 1)
            #expect(try await test.queue.shards(of: shard.job).map(\.state) == [.ready])
            #expect(try await test.queue.claim(lease, limit: 1).map(\.epoch) == [Epoch(2)])
        }
    }

    /// No wait is longer than ten minutes: what seems to be is left from before the clock was set back.
    @Test(arguments: Implementation.allCases)
    func aClockThatWasSetBackByAnHourCostsNoHour(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker(), ttl: .seconds(3600))
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            _ = try await test.queue.fail(shard, failure())
            try await test.advance(-3600)
            #expect(try await test.queue.promote() == 1)
            #expect(try await test.queue.claim(lease, limit: 1).map(\.epoch) == [Epoch(2)])
        }
    }

    /// What fails on one worker may be the worker's fault: another one is asked before the shard is given up.
    @Test(arguments: Implementation.allCases)
    func oneWorkerAloneDoesNotFailAShardWhileThereAreOthers(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2, maxAttempts: 2)]))
            let bad = try await queue.register(worker(), ttl: .seconds(36_000))
            let good = try await queue.register(worker(), ttl: .seconds(36_000))
            var shard = try #require(try await queue.claim(bad, limit: 1).first)
            #expect(try await queue.fail(shard, failure()).wait != nil)
            // Longer than any wait after one or two failures.
            try await test.advance(11)
            // Ready again, but not for the one that failed it.
            #expect(try await queue.claim(bad, limit: 9).map(\.index) == [1])
            #expect(try await queue.claim(bad, limit: 9).isEmpty)
            try await test.advance(60)
            // Nobody else came, so it may try again; that is its second failure, and none of anybody else.
            shard = try #require(try await queue.claim(bad, limit: 1).first)
            #expect((shard.index, shard.attempt) == (0, 2))
            #expect(try await queue.fail(shard, failure()).wait != nil)
            try await test.advance(11)
            shard = try #require(try await queue.claim(good, limit: 1).first)
            #expect(try await queue.fail(shard, failure()) == .failed)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aPermanentFailureIsFinal(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker())
            let claimed = try await test.queue.claim(lease, limit: 2)
            #expect(try await test.queue.fail(claimed[0], failure("row 3: no text", isPermanent: true)) == .failed)
            #expect(try await test.queue.fail(claimed[0], failure()) == .fenced)
            let running = try await test.queue.onlyJob()
            #expect(running.state == .running)
            #expect(try await test.queue.commit(claimed[1], publication(of: claimed[1])) == .committed)
            let record = try await test.queue.onlyJob()
            #expect(record.state == .failed)
            #expect((record.progress.shards.failed, record.progress.shards.done) == (1, 1))
            #expect(try await test.queue.openShardCount(run: record.id.run) == 0)
        }
    }

    @Test(arguments: Implementation.allCases)
    func releasingBurnsNoAttemptAndKeepsTheEpoch(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(0, shards: 2), job(1, shards: 1)]))
            let lease = try await test.queue.register(worker())
            let first = try await test.queue.claim(lease, limit: 2)
            let second = try await test.queue.claim(lease, limit: 2)
            let all = first + second
            #expect(try await test.queue.release(all) == all.map(\.key))
            #expect(try await test.queue.release(all).isEmpty)
            let records = try await test.queue.shards(of: first[0].job)
            #expect(records.map(\.state) == [.ready, .ready])
            #expect(records.map(\.epoch) == [Epoch(1), Epoch(1)])
            #expect(records.map(\.failures) == [0, 0])
            #expect(try await test.queue.attempts(of: first[0].job).map(\.outcome) == [.released, .released])
            // A result that comes after all is still good.
            #expect(try await test.queue.commit(first[0], publication(of: first[0])) == .committed)
            let again = try await test.queue.claim(lease, limit: 2)
            #expect(again.map(\.index) == [1])
            #expect(again.map(\.epoch) == [Epoch(2)])
            #expect(again.map(\.attempt) == [1])
        }
    }

    @Test(arguments: Implementation.allCases)
    func whateverWentWrongCanBeRecorded(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 1)]))
            let lease = try await test.queue.register(worker())
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            let odd = ShardFailure(
                message: "a\0b" + String(repeating: "x", count: 100_000), isPermanent: true, seconds: .nan)
            #expect(try await test.queue.fail(shard, odd) == .failed)
            let attempt = try #require(try await test.queue.attempts(of: shard.job).first)
            #expect(attempt.error?.hasPrefix("abxxx") == true)
            #expect(attempt.error?.count == 8003)
            #expect(attempt.seconds == 0)
        }
    }
}
