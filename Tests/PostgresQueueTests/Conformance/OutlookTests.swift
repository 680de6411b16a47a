import JobQueue
import Testing

@Suite struct OutlookTests {
    @Test(arguments: Implementation.allCases)
    func timeLeftComesFromWhatTheModelDidBefore(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission("00000001", [job(0, shards: 4), job(1, shards: 2)]))
            let run = try RunID("00000001")
            #expect(try await queue.outlook(of: run) == RunOutlook(samplesOfUnknownPace: 60, openShards: 6))
            let lease = try await queue.register(worker())
            _ = try await queue.register(worker())
            let first = try await queue.claim(lease, limit: 1)
            #expect(try await queue.outlook(of: run).workersHere == 1)
            #expect(try await queue.outlook(of: run).expectedDuration == nil)
            // Ten samples with 70 tokens in two seconds.
            _ = try await queue.commit(first.map { ShardCommit($0, publication(of: $0, seconds: 2)) })
            try await queue.reapUntilCharged()
            let half = try await queue.outlook(of: run)
            #expect(half.openShards == 5 && half.samplesOfUnknownPace == 20)
            #expect(abs(half.deviceSecondsLeft - 6) < 1e-6)
            #expect(half.expectedDuration == nil, "nothing is known of the second job")
            let rest = try await queue.claim(lease, limit: 9)
            _ = try await queue.commit(rest.map { ShardCommit($0, publication(of: $0, seconds: 2)) })
            try await queue.reapUntilCharged()
            let other = try await queue.claim(lease, limit: 1)
            _ = try await queue.commit(other.map { ShardCommit($0, publication(of: $0, seconds: 4)) })
            try await queue.reapUntilCharged()
            // Both tasks are known now, and another run of them can be foretold.
            try await queue.submit(submission("00000002", [job(0, shards: 4), job(1, shards: 1)]))
            let known = try await queue.outlook(of: try RunID("00000002"))
            #expect(known.openShards == 5 && known.samplesOfUnknownPace == 0)
            #expect((known.workersHere, known.workersSuitable) == (0, 2))
            #expect(abs(known.deviceSecondsLeft - 12) < 0.1)
            #expect(abs((known.tokensPerSecond ?? 0) - 350.0 / 12) < 0.1)
            let expected = try #require(known.expectedDuration)
            #expect(abs(expected / .seconds(1) - 6) < 0.1)
            _ = try await queue.cancel(.job(try await queue.job(matching: "00000002.1").id))
            let cancelled = try await queue.outlook(of: try RunID("00000002"))
            #expect(cancelled.openShards == 4 && abs(cancelled.deviceSecondsLeft - 8) < 0.1)
            let facts = try await queue.facts(of: try await queue.job(matching: "00000002.0").id)
            #expect(abs((facts.secondsLeft ?? 0) - 8) < 0.1)
        }
    }

    /// It may lie in the queue for that, and not behind others.
    @Test(arguments: Implementation.allCases)
    func whyAShardWasGivenBackLastIsKnown(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2)]))
            let lease = try await queue.register(worker())
            func givenBack() async throws -> JobFacts.GivenBack? {
                try await queue.facts(of: try await queue.onlyJob().id).givenBack
            }
            try await queue.release(try await queue.claim(lease, limit: 1))
            #expect(try await givenBack() == nil)
            try await queue.release(try await queue.claim(lease, limit: 1), note: "no model here")
            let given = try #require(try await givenBack())
            #expect((given.reason, given.host) == ("no model here", worker().host))
            let troubles = try await queue.troubles(of: try await queue.onlyJob().id.run, limit: 9)
            #expect(troubles.map(\.error) == ["no model here"] && troubles.map(\.outcome) == [.released])
            let claimed = try await queue.claim(lease, limit: 1)
            _ = try await queue.fail(claimed[0], ShardFailure(message: "no", isPermanent: true, seconds: 1))
            #expect(try await givenBack() == nil, "something else went wrong since")
        }
    }

    /// That an idle worker took one over says nothing of what is wrong.
    @Test(arguments: Implementation.allCases)
    func whatTheQueueSaysIsNoWorkersReason(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2)]))
            let (first, second) = (try await queue.register(worker()), try await queue.register(worker()))
            try await queue.release(try await queue.claim(first, limit: 1), note: "no model here")
            _ = try await queue.claim(first, limit: 1)
            try await queue.deregister(first)
            let id = try await queue.onlyJob().id
            #expect(try await queue.attempts(of: id).map(\.error).contains("the worker left"))
            #expect(try await queue.facts(of: id).givenBack?.reason == "no model here")

            let claimed = try await queue.claim(second, limit: 1)
            _ = try await queue.heartbeat(second, holding: claimed.map { $0.progress() }, note: "the store is away")
            #expect(try await queue.facts(of: id).trouble == "\(worker().host): the store is away")
            for note in [nil, "job k3f9x2a0.7 can't be worked on here: no model"] {
                _ = try await queue.heartbeat(second, holding: claimed.map { $0.progress() }, note: note)
                #expect(try await queue.facts(of: id).trouble == nil)
            }
        }
    }

    @Test(arguments: Implementation.allCases)
    func workersThatCanNotHelpAreNotCounted(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 1, needDevice: "cuda")]))
            _ = try await queue.register(worker())
            let leaving = try await queue.register(worker(deviceKind: "cuda"))
            let run = try RunID("k3f9x2a0")
            #expect(try await queue.outlook(of: run).workersSuitable == 1)
            try await queue.drain(leaving.worker)
            #expect(try await queue.outlook(of: run).workersSuitable == 0)
        }
    }
}
