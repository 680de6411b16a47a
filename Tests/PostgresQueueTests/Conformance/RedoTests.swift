import JobQueue
import Testing

/// Retrying, cancelling single jobs, changing priorities.
@Suite struct RedoTests {
    @Test(arguments: Implementation.allCases)
    func failedShardsAreTriedAgainFromTheBeginning(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 3)]))
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: 2)
            #expect(try await queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
            #expect(try await queue.fail(claimed[1], failure("bad row", isPermanent: true)) == .failed)
            try await queue.cancel(.run(claimed[0].run))
            // Only what failed: the rest stays cancelled, and a cancelled job gives nothing.
            #expect(try await queue.retry(.run(claimed[0].run), onlyFailed: true) == 0)
            #expect(try await queue.retry(.run(claimed[0].run), onlyFailed: false) == 2)
            let run = try await queue.run(matching: "k3f9x2a0")
            #expect(run.cancelledAt == nil)
            #expect((run.progress.shards.ready, run.progress.shards.done) == (2, 1))
            let again = try await queue.claim(lease, limit: 9)
            #expect(again.map(\.index) == [1, 2])
            #expect(again.map(\.attempt) == [1, 1])
            #expect(again.map(\.epoch) == [Epoch(2), Epoch(1)])
        }
    }

    @Test(arguments: Implementation.allCases)
    func oneJobOfARunCanBeCancelled(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(0, shards: 2), job(1, shards: 2)]))
            let lease = try await queue.register(worker())
            let running = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.cancel(.job(running.job)) == 1)
            #expect(try await queue.heartbeat(lease, holding: [running.progress()]).cancelled == [running.key])
            #expect(try await queue.release([running]) == [running.key])
            let shards = try await queue.shards(of: running.job)
            #expect(shards.map(\.reason) == ["the job was cancelled", "the job was cancelled"])
            #expect(try await queue.run(matching: "k3f9x2a0").cancelledAt == nil)
            let rest = try await queue.claim(lease, limit: 9)
            #expect(rest.map(\.jobName) == ["k3f9x2a0.1", "k3f9x2a0.1"])
            try await queue.cancel(.job(rest[0].job))
            #expect(try await queue.run(matching: "k3f9x2a0").cancelledAt != nil)
        }
    }

    @Test(arguments: Implementation.allCases)
    func priorityCanBeChangedLater(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", [job(shards: 2)]))
            try await queue.submit(submission("00000002", [job(0, shards: 1), job(1, shards: 1)]))
            let lease = try await queue.register(worker())
            let second = try await queue.jobs(of: RunID("00000002"))
            #expect(try await queue.setPriority(.urgent, of: .job(second[1].id)) == 1)
            #expect(try await queue.claim(lease, limit: 9).map(\.jobName) == ["00000002.1"])
            #expect(try await queue.setPriority(.low, of: .run(RunID("00000001"))) == 1)
            #expect(try await queue.run(matching: "00000001").priority == .low)
            #expect(try await queue.claim(lease, limit: 9).map(\.jobName) == ["00000002.0"])
            let last = try await queue.claim(lease, limit: 9)
            #expect(last.map(\.priority) == [.low, .low])
        }
    }

    @Test(arguments: Implementation.allCases)
    func whatDoesNotExistCanNotBeChanged(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job()]))
            let run = try RunID("00000000")
            let job = JobID(number: 1, run: try RunID("k3f9x2a0"), ordinal: 7)
            for work in [WorkTarget.run(run), .job(job)] {
                for change: @Sendable () async throws -> Int in [
                    { try await queue.cancel(work) }, { try await queue.hold(work, reason: "why") },
                    { try await queue.release(work) }, { try await queue.retry(work, onlyFailed: false) },
                    { try await queue.setPriority(.high, of: work) },
                ] {
                    let error = await #expect(throws: QueueError.self) { _ = try await change() }
                    #expect(error?.code == .notFound)
                }
            }
        }
    }

    @Test(arguments: Implementation.allCases)
    func archivedRunsAreReadAsBefore(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", [job(shards: 2)]))
            try await queue.submit(submission("00000002", [job(shards: 2)]))
            let lease = try await queue.register(worker())
            for shard in try await queue.claim(lease, limit: 2) {
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            }
            try await test.advance(10)
            let job = try await queue.onlyJob(of: "00000001")
            let (shards, attempts) = (try await queue.shards(of: job.id), try await queue.attempts(of: job.id))
            let results = try await queue.results(of: job.id)
            #expect(try await queue.archive(olderThan: .seconds(3600), limit: 10) == 0)
            // Device time must be charged first, which waits for the transactions of tests beside this one.
            var archived = 0
            for _ in 0..<2000 where archived == 0 {
                try await queue.reap()
                archived = try await queue.archive(olderThan: .zero, limit: 10)
            }
            #expect(archived == 1)
            #expect(try await queue.archive(olderThan: .zero, limit: 10) == 0)
            #expect(try await queue.run(matching: "00000001").archivedAt != nil)
            #expect(try await queue.run(matching: "00000002").archivedAt == nil)
            #expect(try await queue.onlyJob(of: "00000001") == job)
            #expect(try await queue.shards(of: job.id) == shards)
            #expect(try await queue.attempts(of: job.id) == attempts)
            #expect(try await queue.results(of: job.id) == results)
            let error = await #expect(throws: QueueError.self) {
                try await queue.retry(.run(job.id.run), onlyFailed: false)
            }
            #expect(error?.code == .conflict)
            #expect(try await queue.claim(lease, limit: 9).map(\.run.text) == ["00000002", "00000002"])
        }
    }
}
