import JobQueue
import Testing

/// All results of a job come from one engine, unless somebody allows several.
@Suite struct EngineTests {
    static let one = #"{"build":"b1","cpu_features":"AVX2,FMA","device_kind":"cpu-avx2","engine":"llama.cpp"}"#
    static let other = #"{"build":"b2","cpu_features":"AVX2,FMA","device_kind":"cpu-avx2","engine":"llama.cpp"}"#

    @Test(arguments: Implementation.allCases)
    func theFirstResultFixesTheEngine(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 4)]) { scene in
            let queue = scene.queue
            let mine = try await scene.claim(scene.one)
            let theirs = try await scene.claim(scene.other)
            #expect(try await queue.job(matching: scene.name).engine == nil)
            #expect(try await queue.commit(mine, publication(of: mine)) == .committed)
            #expect(try await queue.job(matching: scene.name).engine == Self.one)
            #expect(try await queue.commit(theirs, publication(of: theirs)) == .unlike)
            #expect(try await queue.commit(mine, publication(of: mine)) == .already)
            // It is still the worker's, who gives it back and says why; that burns no attempt.
            #expect(try await queue.shards(of: theirs.job)[1].state == .running)
            #expect(try await queue.release([theirs], note: "another engine") == [theirs.key])
            let shard = try await queue.shards(of: theirs.job)[1]
            #expect((shard.state, shard.failures) == (.ready, 0))
            #expect(try await queue.attempts(of: theirs.job).last { $0.error != nil }?.error == "another engine")
            // A late result is as much of another engine.
            #expect(try await queue.commit(theirs, publication(of: theirs)) == .unlike)
            #expect(try await queue.claim(scene.other, limit: 4).isEmpty)
            #expect(try await queue.claim(scene.other, ClaimRequest(limit: 4, isPrefetch: true)).isEmpty)
            let rest = try await queue.claim(scene.one, limit: 4)
            #expect(rest.map(\.index) == [1, 2, 3])
            let outcomes = try await queue.commit(rest.map { ShardCommit($0, publication(of: $0)) })
            #expect(outcomes == [.committed, .committed, .committed])
            #expect(try await queue.onlyJob().state == .done)
        }
    }

    /// What several workers hand in with one call is judged in the order of shards, and what says nothing of its engine first.
    @Test(arguments: Implementation.allCases)
    func oneCallBringsResultsOfBoth(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 3)]) { scene in
            let theirs = try await scene.claim(scene.other)
            let mine = try await scene.claim(scene.one)
            let silent = try await scene.claim(scene.silent)
            let outcomes = try await scene.queue.commit(
                [silent, mine, theirs].map { ShardCommit($0, publication(of: $0)) })
            #expect(outcomes == [.committed, .unlike, .committed])
            #expect(try await scene.queue.job(matching: scene.name).engine == Self.other)
        }
    }

    @Test(arguments: Implementation.allCases)
    func whoDoesNotSayFixesNothing(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 5)]) { scene in
            let queue = scene.queue
            let early = try await queue.claim(scene.silent, limit: 3)
            let mine = try await scene.claim(scene.one)
            #expect(try await queue.commit(early[0], publication(of: early[0])) == .committed)
            #expect(try await queue.commit(early[1], publication(of: early[1])) == .committed)
            #expect(try await queue.job(matching: scene.name).engine == nil)
            #expect(try await queue.commit(mine, publication(of: mine)) == .committed)
            // What programs understand that know of no engines.
            #expect(try await queue.commit(early[2], publication(of: early[2])) == .fenced)
            #expect(try await queue.release([early[2]]) == [early[2].key])
            #expect(try await queue.claim(scene.silent, limit: 1).isEmpty)
            #expect(try await queue.claim(scene.other, limit: 1).isEmpty)
            #expect(try await queue.claim(scene.one, limit: 9).map(\.index) == [2, 4])
        }
    }

    @Test(arguments: Implementation.allCases)
    func ofTwoFirstResultsOneCounts(_ implementation: Implementation) async throws {
        let jobs = 12
        try await withEngines(implementation, (0..<jobs).map { job($0, shards: 2) }) { scene in
            let queue = scene.queue
            var pairs: [(ClaimedShard, ClaimedShard)] = []
            for _ in 0..<jobs {
                pairs.append((try await scene.claim(scene.one), try await scene.claim(scene.other)))
                #expect(pairs.last?.0.job == pairs.last?.1.job)
            }
            for pair in pairs {
                async let left = queue.commit(pair.0, publication(of: pair.0))
                async let right = queue.commit(pair.1, publication(of: pair.1))
                let outcomes = try await [left, right]
                #expect(Set(outcomes) == [.committed, .unlike])
                let engine = try await queue.job(matching: pair.0.jobName).engine
                #expect(engine == (outcomes[0] == .committed ? Self.one : Self.other))
                #expect(try await queue.results(of: pair.0.job).map(\.key.index) == [outcomes[0] == .committed ? 0 : 1])
            }
        }
    }

    @Test(arguments: Implementation.allCases)
    func aMixedJobTakesResultsOfAll(_ implementation: Implementation) async throws {
        var mixed = job(shards: 4)
        mixed.mixed = true
        try await withEngines(implementation, [mixed]) { scene in
            let queue = scene.queue
            for lease in [scene.one, scene.other, scene.silent, scene.other] {
                let shard = try await scene.claim(lease)
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            }
            let record = try await queue.job(matching: scene.name)
            #expect((record.isMixed, record.engine, record.state) == (true, nil, .done))
            #expect(try await queue.jobs(of: record.id.run).map(\.isMixed) == [true])
            #expect(try await queue.mixEngines(of: .job(record.id)) == 0)
        }
    }

    @Test(arguments: Implementation.allCases)
    func whatOneEngineBeganAnotherFinishesWhenItIsAllowed(_ implementation: Implementation) async throws {
        let jobs = [job(0, shards: 1), job(1, shards: 2), job(2, shards: 2)]
        try await withEngines(implementation, jobs) { scene in
            let queue = scene.queue
            for _ in 0..<2 {
                let shard = try await scene.claim(scene.one)
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            }
            let others = try await queue.claim(scene.other, limit: 9)
            #expect(others.map(\.job.ordinal) == [2, 2])
            #expect(try await queue.release(others).count == 2)
            let run = others[0].run
            // One job is done, and of one there is no result yet: any engine may have it whole.
            #expect(try await queue.mixEngines(of: .run(run)) == 1)
            #expect(try await queue.mixEngines(of: .run(run)) == 0)
            #expect(try await queue.jobs(of: run).map(\.isMixed) == [false, true, false])
            #expect(try await queue.job(matching: "\(run).1").engine == Self.one)
            let shard = try await scene.claim(scene.other)
            #expect((shard.job.ordinal, shard.index) == (1, 1))
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            let missing = try #require(try? RunID("zzzzzzzz"))
            let error = await #expect(throws: QueueError.self) { try await queue.mixEngines(of: .run(missing)) }
            #expect(error?.code == .notFound)
        }
    }

    @Test(arguments: Implementation.allCases)
    func whenNoResultIsLeftAnyEngineMayGiveTheFirst(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 3)]) { scene in
            let queue = scene.queue
            let mine = try await queue.claim(scene.one, limit: 3)
            for shard in mine.prefix(2) {
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            }
            #expect(try await queue.release([mine[2]]).count == 1)
            // One is left: the engine stays.
            #expect(try await scene.withdraw(0) == [0])
            #expect(try await queue.claim(scene.other, limit: 3).isEmpty)
            #expect(try await scene.withdraw(1) == [1])
            #expect(try await queue.job(matching: scene.name).engine == nil)
            // A late result of the engine that was does not fix it again.
            #expect(try await queue.supersededClaims(among: [mine[2]]) == [mine[2]])
            #expect(try await queue.commit(mine[2], publication(of: mine[2])) == .fenced)
            let theirs = try await queue.claim(scene.other, limit: 3)
            #expect(theirs.map(\.index) == [0, 1, 2])
            #expect(try await queue.commit(theirs[0], publication(of: theirs[0])) == .committed)
            #expect(try await queue.job(matching: scene.name).engine == Self.other)
        }
    }

    /// What is computed on a job's engine is not thrown away because results of it are.
    @Test(arguments: Implementation.allCases)
    func theEngineStaysAsLongAsItIsAtWork(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 3)]) { scene in
            let queue = scene.queue
            let mine = try await queue.claim(scene.one, limit: 2)
            #expect(try await queue.commit(mine[0], publication(of: mine[0])) == .committed)
            #expect(try await scene.withdraw(0) == [0])
            #expect(try await queue.claim(scene.other, limit: 3).isEmpty)
            #expect(try await queue.commit(mine[1], publication(of: mine[1])) == .committed)
            #expect(try await scene.withdraw(1) == [1])
            #expect(try await queue.claim(scene.other, limit: 1).map(\.index) == [0])
        }
        // It came to nothing: a retry frees the job.
        try await withEngines(implementation, [job(shards: 3)]) { scene in
            let queue = scene.queue
            let mine = try await queue.claim(scene.one, limit: 2)
            #expect(try await queue.commit(mine[0], publication(of: mine[0])) == .committed)
            #expect(try await scene.withdraw(0) == [0])
            #expect(try await queue.release([mine[1]]).count == 1)
            #expect(try await queue.claim(scene.other, limit: 3).isEmpty)
            try await queue.retry(.run(mine[0].run), onlyFailed: false)
            #expect(try await queue.claim(scene.other, limit: 3).count == 3)
        }
    }

    @Test(arguments: Implementation.allCases)
    func anIdleWorkerTakesOverOnlyWhatItsEngineMayDo(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 2)]) { scene in
            let queue = scene.queue
            let first = try await scene.claim(scene.one)
            #expect(try await queue.commit(first, publication(of: first)) == .committed)
            let fetched = try await queue.claim(scene.one, ClaimRequest(isPrefetch: true))
            #expect(fetched.map(\.index) == [1])
            try await scene.test.advance(5)
            #expect(try await queue.claim(scene.other, limit: 1).isEmpty)
            #expect(try await queue.claim(scene.silent, limit: 1).isEmpty)
            let like = try await queue.register(worker(identity: Self.one))
            #expect(try await queue.claim(like, limit: 1).map(\.key) == fetched.map(\.key))
        }
    }

    /// Where only workers of other engines are left, nobody waits for them to try.
    @Test(arguments: Implementation.allCases)
    func aFailedShardIsLeftToWorkersThatMayHaveIt(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 3, maxAttempts: 1)]) { scene in
            let queue = scene.queue
            let first = try await scene.claim(scene.one)
            #expect(try await queue.commit(first, publication(of: first)) == .committed)
            let second = try await scene.claim(scene.one)
            #expect(try await queue.fail(second, failure()) == .failed)
            _ = try await queue.register(worker(identity: Self.one))
            let third = try await scene.claim(scene.one)
            #expect(try await queue.fail(third, failure()).wait != nil)
        }
    }

    @Test(arguments: Implementation.allCases)
    func cancellingAndArchivingChangeNoEngine(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 2)]) { scene in
            let queue = scene.queue
            let first = try await scene.claim(scene.one)
            #expect(try await queue.commit(first, publication(of: first)) == .committed)
            #expect(try await queue.cancel(.run(first.run)) == 1)
            #expect(try await queue.retry(.run(first.run), onlyFailed: false) == 1)
            #expect(try await queue.claim(scene.other, limit: 1).isEmpty)
            let second = try await scene.claim(scene.one)
            #expect(try await queue.commit(second, publication(of: second)) == .committed)
            try await scene.test.advance(10)
            try await queue.reap()
            #expect(try await queue.archive(olderThan: .zero, limit: 9) == 1)
            try await queue.reap()
            #expect(try await queue.job(matching: scene.name).engine == Self.one)
            let error = await #expect(throws: QueueError.self) { try await queue.mixEngines(of: .run(first.run)) }
            #expect(error?.code == .conflict)
            #expect(try await queue.restore(first.run))
            #expect(try await scene.withdraw(1) == [1])
            #expect(try await queue.claim(scene.other, limit: 1).isEmpty)
            #expect(try await queue.claim(scene.one, limit: 1).map(\.index) == [1])
        }
    }

    @Test(arguments: Implementation.allCases)
    func onlyWorkersWithTheJobsEngineCountAsSuitable(_ implementation: Implementation) async throws {
        try await withEngines(implementation, [job(shards: 3)]) { scene in
            let queue = scene.queue
            let shard = try await scene.claim(scene.one)
            func workers() async throws -> [Int] {
                let facts = try await queue.facts(of: shard.job).workers
                let outlook = try await queue.outlook(of: shard.run)
                return [facts.live, facts.suitable, facts.unlike, facts.busyElsewhere, outlook.workersSuitable]
            }
            #expect(try await workers() == [3, 3, 0, 0, 3])
            #expect(try await queue.facts(of: shard.job).engine == nil)
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            #expect(try await workers() == [3, 1, 2, 0, 1])
            try await queue.deregister(scene.one)
            #expect(try await workers() == [2, 0, 2, 0, 0])
            let facts = try await queue.facts(of: shard.job)
            #expect((facts.engine, facts.otherEngine) == (Self.one, Self.other))
            #expect(
                Explanation(facts).reasons == [
                    "Its results so far come from one engine, and all 2 workers that could run it have others: build is b1 "
                        + "in the results and b2 on one of them."
                ])
            try await queue.deregister(scene.other)
            #expect(try await queue.facts(of: shard.job).otherEngine == nil)
            #expect(try await workers() == [1, 0, 1, 0, 0])
            #expect(try await queue.mixEngines(of: .run(shard.run)) == 1)
            #expect(try await workers() == [1, 1, 0, 0, 1])
            let identities = try await queue.workers().map(\.identity)
            #expect(identities == [nil, Self.other, Self.one])
        }
    }

    @Test(arguments: Implementation.allCases)
    func equalResultsAreOfTheSameWorkAndEngine(_ implementation: Implementation) async throws {
        func jobs() -> [JobSubmission] {
            var (small, large, mixed, stranger) = (
                job(0, shards: 4, rows: 5), job(1, shards: 2, rows: 10), job(2, shards: 2, rows: 10), job(3, shards: 2)
            )
            (small.work, large.work, mixed.work, stranger.work) = (
                hexadecimalA, hexadecimalA, hexadecimalA, hexadecimalB
            )
            mixed.mixed = true
            return [small, large, mixed, stranger]
        }
        try await withEngines(implementation, jobs()) { scene in
            let queue = scene.queue
            // The silent worker's result is in the job, but of no known engine.
            let silent = try await scene.claim(scene.silent)
            #expect(try await queue.commit(silent, publication(of: silent)) == .committed)
            for _ in 0..<4 {
                for shard in try await queue.claim(scene.one, limit: 9) {
                    #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
                }
            }
            var again = job(0, shards: 2, rows: 10)
            again.work = hexadecimalA
            try await queue.submit(submission("k3f9x2a1", [again]))
            let mine = try await queue.claim(scene.one, limit: 2)
            #expect(mine.map(\.job.run.text) == ["k3f9x2a1", "k3f9x2a1"])
            func equal(_ shard: ClaimedShard) async throws -> [String] {
                try await queue.equalResults(of: shard).map { "\($0.job) \($0.range.rowStart) \($0.range.rowCount)" }
            }
            #expect(try await equal(mine[0]) == ["k3f9x2a0.1 0 10", "k3f9x2a0.0 5 5"])
            #expect(try await equal(mine[1]) == ["k3f9x2a0.1 10 10", "k3f9x2a0.0 10 5", "k3f9x2a0.0 15 5"])
            let result = try #require(try await queue.equalResults(of: mine[1]).first)
            let stored = try #require(try await queue.results(of: result.job).last)
            #expect(result.path == stored.publication.path && result.sha256 == stored.publication.sha256)
            #expect(result.digest == stored.publication.digest && result.bytes == stored.publication.bytes)
            // A withdrawn result is none, and another engine has none.
            #expect(try await scene.withdraw(1, of: "k3f9x2a0.1") == [1])
            #expect(try await equal(mine[1]) == ["k3f9x2a0.0 10 5", "k3f9x2a0.0 15 5"])
            try await queue.release(mine)
            let theirs = try await queue.claim(scene.other, ClaimRequest(run: mine[0].run))
            #expect(try await equal(theirs[0]).isEmpty)
            // Results of archived runs are not looked at.
            try await queue.release(theirs)
            try await queue.cancel(.run(try RunID("k3f9x2a0")))
            try await scene.test.advance(10)
            try await queue.reap()
            #expect(try await queue.archive(olderThan: .zero, limit: 9) == 1)
            let last = try await queue.claim(scene.one, limit: 1)
            #expect(try await equal(last[0]).isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aThousandEqualResultsAreEnough(_ implementation: Implementation) async throws {
        var many = job(shards: 1100, rows: 1)
        many.work = hexadecimalA
        try await withEngines(implementation, [many]) { scene in
            let queue = scene.queue
            let claimed = try await queue.claim(scene.one, limit: 1100)
            let outcomes = try await queue.commit(claimed.map { ShardCommit($0, publication(of: $0)) })
            #expect(outcomes.allSatisfy { $0 == .committed })
            var whole = job(shards: 1, rows: 1100)
            whole.work = hexadecimalA
            try await queue.submit(submission("k3f9x2a1", [whole]))
            let shard = try await scene.claim(scene.one)
            let results = try await queue.equalResults(of: shard)
            #expect(results.count == 1000)
            #expect(results.map(\.range.rowStart) == Array(0..<1000))
        }
    }

    /// Runs `body` with a run and three workers: two that say what their engines are, and one that does not.
    private func withEngines(
        _ implementation: Implementation, _ jobs: [JobSubmission], _ body: (EngineScene) async throws -> Void
    ) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission(jobs))
            let one = try await test.queue.register(worker(identity: Self.one))
            let other = try await test.queue.register(worker(identity: Self.other))
            let silent = try await test.queue.register(worker())
            try await body(EngineScene(test: test, one: one, other: other, silent: silent))
        }
    }
}

private struct EngineScene: Sendable {
    let test: TestQueue
    let one: WorkerLease
    let other: WorkerLease
    let silent: WorkerLease

    var queue: any JobQueue { test.queue }
    var name: String { "k3f9x2a0.0" }

    func claim(_ lease: WorkerLease) async throws -> ClaimedShard {
        try #require(try await queue.claim(lease, limit: 1).first)
    }

    func withdraw(_ shard: Int, of name: String = "k3f9x2a0.0") async throws -> [Int] {
        let job = try await queue.job(matching: name).id
        let result = try #require(try await queue.results(of: job).first { $0.key.index == shard })
        return try await queue.withdraw(
            [ResultWithdrawal(result, reason: "lost")], of: job, user: "ada", again: true)
    }
}
