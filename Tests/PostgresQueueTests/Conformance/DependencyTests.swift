import JobQueue
import Testing

@Suite struct DependencyTests {
    @Test(arguments: Implementation.allCases)
    func aJobWaitsUntilTheOtherIsDone(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(
                submission([job(0, shards: 2), job(1, shards: 1, after: [JobDependency(.sibling(0))])]))
            let lease = try await queue.register(worker())
            let first = try await queue.claim(lease, limit: 9)
            #expect(first.map(\.jobName) == ["k3f9x2a0.0", "k3f9x2a0.0"])
            #expect(try await queue.claim(lease, limit: 9).isEmpty)
            let waiting = try await queue.job(matching: "k3f9x2a0.1")
            #expect((waiting.state, waiting.gate, waiting.reason) == (.blocked, .waiting, "waits for k3f9x2a0.0"))
            // It will run without anybody's help, so it is open.
            #expect(try await queue.openShardCount(run: waiting.id.run) == 3)
            _ = try await queue.commit(first.map { ShardCommit($0, publication(of: $0)) })
            try await queue.reap()
            #expect(try await queue.claim(lease, limit: 9).map(\.jobName) == ["k3f9x2a0.1"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func whoNeedsResultsThatWillNotComeIsCancelledDownTheChain(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(
                submission([
                    job(0, shards: 1), job(1, shards: 1, after: [JobDependency(.sibling(0))]),
                    job(2, shards: 1, after: [JobDependency(.sibling(1))]),
                    job(3, shards: 1, after: [JobDependency(.sibling(0), .any)]),
                ]))
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.fail(shard, failure(isPermanent: true)) == .failed)
            try await queue.reap()
            let jobs = try await queue.jobs(of: shard.run)
            #expect(jobs.map(\.state) == [.failed, .cancelled, .cancelled, .queued])
            #expect(jobs[1].reason == "it needed the results of k3f9x2a0.0, which did not end well")
            #expect(jobs[2].reason == "it needed the results of k3f9x2a0.1, which did not end well")
            #expect(try await queue.claim(lease, limit: 9).map(\.jobName) == ["k3f9x2a0.3"])
            // Tried again, the failed one is no obstacle any more.
            #expect(try await queue.retry(.run(shard.run), onlyFailed: false) == 3)
            #expect(try await queue.jobs(of: shard.run).map(\.gate) == [.open, .waiting, .waiting, .open])
        }
    }

    @Test(arguments: Implementation.allCases)
    func aWholeRunCanBeWaitedForAlsoOneThatHasEnded(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let other = try RunID("00000001")
            try await queue.submit(submission("00000001", [job(0, shards: 1), job(1, shards: 1)]))
            try await queue.submit(submission("00000002", [job(shards: 1, after: [JobDependency(.run(other))])]))
            let lease = try await queue.register(worker())
            for _ in 0..<2 {
                #expect(try await queue.onlyJob(of: "00000002").gate == .waiting)
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
                try await queue.reap()
            }
            #expect(try await queue.onlyJob(of: "00000002").gate == .open)
            try await queue.submit(submission("00000003", [job(shards: 1, after: [JobDependency(.job(other, 1))])]))
            #expect(try await queue.onlyJob(of: "00000003").gate == .open)
        }
    }

    @Test(arguments: Implementation.allCases)
    func impossibleDependenciesAreRefusedAndLeaveNothing(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let own = try RunID("k3f9x2a0")
            for (target, code) in [
                (.sibling(0), .invalid), (.run(own), .invalid), (.job(own, 3), .invalid),
                (.run(try RunID("00000009")), .notFound), (.job(try RunID("00000009"), 0), .notFound),
            ] as [(JobDependency.Target, QueueError.Code)] {
                let error = await #expect(throws: QueueError.self, "\(target)") {
                    try await queue.submit(submission([job(0, shards: 1, after: [JobDependency(target)])]))
                }
                #expect(error?.code == code)
            }
            #expect(try await queue.runs(limit: 9, project: nil).isEmpty)
        }
    }
}
