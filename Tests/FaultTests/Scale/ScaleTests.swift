import FaultTesting
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

extension FaultSuite {
    /// So much of everything that what is done row by row, or pair by pair, no longer ends within a statement's time.
    ///
    /// Every call of a worker and every chore has the limits of a worker's session; a call that runs into its limit fails
    /// the test. `infra/test --soak` takes the whole sizes.
    @Suite struct ScaleTests {
        /// All of a large run has failed and is tried again by one command, while many workers claim and commit.
        @Test func aLargeRunIsRetriedUnderClaims() async throws {
            let (jobs, others) = (Scale.of(10_000, 1_000), Scale.of(2_000, 200))
            try await ScaleScene.with("\(jobs) jobs tried again") { scene in
                let run = try await scene.submit("00000001", jobs: jobs)
                // It comes later: claims have to get past all that has failed.
                let other = try await scene.submit("00000002", shards: others)
                try await scene.fail(
                    run, "state = 'failed', reason = 'out of memory', ended_at = clock_timestamp()")
                try await scene.withWorkers(16) {
                    let before = scene.calls("claim")
                    let retried = try await scene.timed("retry") {
                        try await scene.queue.retry(.run(run), onlyFailed: false)
                    }
                    #expect(retried == jobs)
                    #expect(scene.calls("claim") > before, "nobody could claim beside the retry")
                    try await scene.doChores { scene.accepted(run) == jobs && scene.accepted(other) == others }
                }
                try await scene.settle()
                #expect(try await scene.count("shard WHERE state <> 'done'") == 0)
                #expect(try await scene.count("shard WHERE epoch = 2") == jobs)
                try await scene.judge([run, other], after: "large run tried again by one command")
            }
        }

        /// Many jobs wait for a run of many jobs, and all of them may go on at once.
        @Test func manyJobsWaitForALargeRun() async throws {
            let jobs = Scale.of(2_500, 250)
            try await ScaleScene.with("\(jobs) jobs after \(jobs)") { scene in
                let needed = try await scene.submit("00000001", jobs: jobs)
                let waiting = try await scene.submit("00000002", jobs: jobs, after: [JobDependency(.run(needed))])
                try await scene.withWorkers(
                    16,
                    onClaim: { shard in
                        guard shard.run == waiting else { return }
                        #expect(scene.sent(needed) == jobs, "\(shard.key) was claimed too early")
                    }
                ) {
                    try await scene.doChores { scene.accepted(waiting) == jobs }
                }
                try await scene.settle()
                #expect(try await scene.count("shard WHERE state <> 'done'") == 0)
                #expect(try await scene.count("job WHERE gate <> 'open'") == 0)
                #expect(try await scene.count("job_need WHERE NOT is_settled") == 0)
                #expect(try await scene.count("needed_run") == 0)
                try await scene.judge([needed, waiting], after: "end of a large run that many jobs waited for")
            }
        }

        /// Everything has failed, and all waits end at the same moment.
        @Test func manyBackoffsEndAtOnce() async throws {
            let (jobs, shards) = (20, Scale.of(10_000, 1_000))
            try await ScaleScene.with("\(jobs * shards) shards due at once") { scene in
                let run = try await scene.submit("00000001", jobs: jobs, shards: shards)
                let other = try await scene.submit("00000002", shards: Scale.of(20_000, 2_000))
                try await scene.fail(
                    run, "state = 'blocked', not_before = clock_timestamp() + interval '10 minutes'")
                try await scene.withWorkers(16) {
                    // As if the time had come.
                    try await scene.run("UPDATE shard SET not_before = clock_timestamp() WHERE state = 'blocked'")
                    let before = scene.calls("claim")
                    try await scene.doChores { try await scene.count("shard WHERE state = 'blocked'") == 0 }
                    #expect(scene.calls("claim") > before, "nobody could claim beside the promotion")
                }
                try await scene.settle()
                // What was claimed is done, and the rest is there to be claimed.
                let done = scene.accepted(run)
                #expect(done > 0)
                let rest = try await scene.count(
                    "shard JOIN job USING (job_id) WHERE run_id = '\(run)' AND state = 'ready' AND failures = 1")
                #expect(rest == jobs * shards - done)
                #expect(try await scene.count("shard WHERE state NOT IN ('ready', 'done')") == 0)
                #expect(try await scene.count("job WHERE is_runnable") >= (rest + shards - 1) / shards)
                try await scene.judge([run, other], after: "backoffs that all end at once")
            }
        }

        /// A run with more shards than one transaction can move becomes history beside the work, and is cut off at it.
        @Test func aHugeRunIsArchivedInSlices() async throws {
            let (jobs, total) = (12, Scale.of(1_200_000, 60_000))
            try await ScaleScene.with("\(total) shards archived") { scene in
                let run = try await scene.submit("00000001", jobs: jobs)
                let other = try await scene.submit("00000002", shards: Scale.of(40_000, 4_000))
                try await scene.finish(run, shards: total / jobs)
                let before = try await scene.history(of: run)
                #expect(try await scene.queue.archive(olderThan: .zero, limit: 9) == 1)
                try await scene.withWorkers(4) {
                    var left = total
                    for _ in 0..<2 {
                        for _ in 0..<2 {
                            let moved = try await scene.doChores()[.archive] ?? 0
                            left -= moved
                        }
                        try await scene.cutOffSlice(of: run)
                        // Not a row of it has gone.
                        #expect(try await scene.shards(of: run, in: "shard") == left)
                        #expect(try await scene.shards(of: run, in: "archived_shard") == total - left)
                    }
                    #expect(left == total - 20_000)
                    let claims = scene.calls("claim")
                    try await scene.doChores { try await scene.count("run WHERE NOT is_moved") == 0 }
                    #expect(scene.calls("claim") > claims, "nobody could claim beside the archive")
                }
                try await scene.settle()
                let after = try await scene.history(of: run)
                #expect(after == before)
                let results = try await scene.shards(of: run, in: "archived_result")
                #expect(results == total)
                #expect(try await scene.shards(of: run, in: "archived_shard") == total)
                #expect(try await scene.shards(of: run, in: "shard") == 0)
                let seen = try await scene.queue.run(matching: run.text)
                #expect(seen.progress.shards.done == total && seen.archivedAt != nil)
                try await scene.judge(
                    [other], after: "archiving cut off in the middle", times: 2,
                    Certificate.Outcome(
                        lost: max(0, total - results), doubled: max(0, results - total),
                        wrong: after == before ? 0 : 1, digests: total))
            }
        }

        /// Jobs of which nothing is left to claim are passed over by reading these, and not all jobs there are.
        @Test func aClaimPastExhaustedJobsReadsThemAlone() async throws {
            // Of these a claim passes five hundred over, and leaves the others to the next one.
            let jobs = 5_000
            // What is read is counted by the session that reads.
            try await ScaleScene.with("a claim past \(jobs) exhausted jobs", poolSize: 1) { scene in
                let run = try await scene.submit("00000001", jobs: jobs)
                try await scene.fail(
                    run, "state = 'failed', reason = 'out of memory', ended_at = clock_timestamp()")
                let queue = PostgresJobQueue(scene.database.pool)
                let lease = try await queue.register(ScaleScene.description)
                let before = try await scene.rowsRead(of: "job")
                #expect(try await queue.claim(lease, limit: 1).isEmpty)
                let read = try await scene.rowsRead(of: "job") - before
                let passed = try await scene.count("job WHERE NOT is_runnable")
                #expect((400...600).contains(passed))
                #expect(read <= 10 * passed, "read \(read) of \(jobs) jobs to pass \(passed) of them over")
            }
        }

        /// What the dead of a large job had is found by keys: neither all its shards nor all workers are read for it.
        @Test func manyWorkersDieAtTheEndOfALargeJob() async throws {
            let (shards, workers, each) = (Scale.of(150_000, 20_000), 30, 10)
            let held = workers * each
            // What is read is counted by the session that reads.
            try await ScaleScene.with("\(workers) workers of \(shards) shards dead at once", poolSize: 1) { scene in
                let run = try await scene.submit("00000001", shards: shards)
                try await scene.finish(run, before: shards - held)
                let queue = PostgresJobQueue(scene.database.pool)
                for _ in 0..<workers {
                    let lease = try await queue.register(ScaleScene.description)
                    #expect(try await queue.claim(lease, limit: each).count == each)
                }
                // As if they had been silent for a day.
                try await scene.run("UPDATE worker SET seen_seconds = seen_seconds - 86400; ANALYZE")
                let before = try await scene.rowsRead(of: "shard")
                let outcome = try await scene.timed("chore workers") { try await queue.run(.workers, isForced: true) }
                let read = try await scene.rowsRead(of: "shard") - before
                #expect(outcome?.changed == workers + held)
                #expect(try await scene.count("shard WHERE state = 'ready'") == held)
                #expect(try await scene.count("worker WHERE state = 'dead'") == workers)
                #expect(read <= 10 * held, "read \(read) of \(shards) shards to take \(held) back")
            }
        }
    }
}
