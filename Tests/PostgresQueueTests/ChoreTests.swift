import FaultTesting
import Foundation
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// What the database does besides claims and commits, and what it does when that goes wrong.
@Suite struct ChoreTests {
    /// One statement with text alone.
    private static func run(_ sql: String, in database: TestDatabase) async throws {
        let connection = try await database.connect()
        try await connection.execute(script: sql)
        await connection.close()
    }

    private static func count(_ sql: String, in database: TestDatabase) async throws -> Int {
        try await database.pool.query(PostgresStatement(name: "count", sql: "SELECT count(*) AS n FROM \(sql)"))
            .only().decode("n")
    }

    /// Whatever fails in one chore, the others are done, it is written down, and claims and commits go on.
    @Test(arguments: Chore.allCases)
    func aChoreThatFailsHoldsUpNothing(_ chore: Chore) async throws {
        let functions: [Chore: String] = [
            .workers: "reap_workers(integer, integer)", .tallies: "roll_up(integer)", .gates: "open_due_gates()",
            .cancellations: "sweep_cancelled_jobs(integer)", .charges: "charge_usage(integer)",
            .promotion: "promote_shards(integer, integer)", .mending: "mend_jobs(integer)",
            .archive: "move_archived_shards(integer)", .statistics: "refresh_statistics()",
            .departures: "forget_workers(integer)",
        ]
        let function = try #require(functions[chore])
        let result = chore == .workers ? "TABLE (workers integer, requeued integer, held integer)" : nil
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 2)]))
            try await Self.run(
                """
                ALTER FUNCTION \(function) RENAME TO broken;
                CREATE FUNCTION \(function) RETURNS
                    \(result ?? (chore == .promotion ? "integer" : "bigint")) LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '22003'; END $$
                """, in: database)
            let error = await #expect(throws: QueueError.self) { try await queue.reap() }
            #expect(error?.description.contains("injected") == true)
            for record in try await queue.chores() {
                #expect((record.succeededAt == nil) == (record.chore == chore), "\(record.chore)")
                #expect((record.error?.contains("injected") ?? false) == (record.chore == chore))
            }
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            // A worker of the release before has them done by one call, which does not fail either.
            try await Self.run("UPDATE chore SET succeeded_at = NULL, failed_at = NULL, error = NULL", in: database)
            try await Self.run("SELECT * FROM reap()", in: database)
            #expect(try await Self.count("chore WHERE failed_at IS NOT NULL", in: database) == 1)
            #expect(try await Self.count("chore WHERE succeeded_at IS NULL", in: database) == 1)
            try await Certificate.record(["chore that fails": 2], in: database.pool)
        }
    }

    @Test func aChoreIsDueAfterItsIntervalAndDoneByOne() async throws {
        try await withPostgresQueue { database, queue in
            #expect(Set(try await queue.dueChores()) == Set(Chore.allCases))
            let done = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await queue.run(.mending, isForced: false) != nil }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(done == 1)
            #expect(try await !queue.dueChores().contains(.mending))
            // What seems to have been done in the future was done before the clock was set back.
            try await Self.run("UPDATE chore SET succeeded_at = now() + interval '1 hour'", in: database)
            #expect(try await queue.dueChores().contains(.mending))
        }
    }

    /// From one look at the clock to the next no more than a third of a lease counts, however long it was, or seemed to be.
    @Test(arguments: ["-1 hour", "-100 seconds", "1 hour"])
    func aStallOrAStepOfTheClockTakesNoLease(_ step: String) async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 1)]))
            let lease = try await queue.register(worker(), ttl: .seconds(60))
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            // All that the database remembers of before happened so long ago: as after a pause, or a step of its clock.
            try await Self.run(
                """
                UPDATE queue_clock SET ticked_at = ticked_at + interval '\(step)';
                UPDATE worker SET seen_at = seen_at + interval '\(step)', lease_until = lease_until + interval '\(step)',
                    registered_at = registered_at + interval '\(step)', warm_since = warm_since + interval '\(step)';
                UPDATE shard SET started_at = started_at + interval '\(step)' WHERE epoch > 0;
                UPDATE project SET used_at = used_at + interval '\(step)'
                """, in: database)
            #expect(try await queue.reap() == ReapReport())
            _ = try await queue.claim(lease, limit: 1)
            #expect(try await queue.heartbeat(lease, holding: [shard.progress(samples: 1)]).lost.isEmpty)
            let record = try #require(try await queue.workers().first)
            #expect(record.leaseUntil.timeIntervalSinceNow < 61)
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
        }
    }

    /// Who is dead is found out all the same, after a lease's time of looks.
    @Test func theDeadAreFoundByLookingOftenEnough() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 1)]))
            let lease = try await queue.register(worker(), ttl: .seconds(60))
            _ = try await queue.claim(lease, limit: 1)
            var looks = 0
            while try await queue.reap().workers == 0, looks < 10 {
                looks += 1
                try await Self.run("UPDATE queue_clock SET ticked_at = ticked_at - interval '1 hour'", in: database)
            }
            #expect(looks == 4)
        }
    }

    /// Time passes for the leases of all others, too.
    @Test func aLeaseOfNoLengthDoesNotStopTheClock() async throws {
        try await withPostgresQueue { database, queue in
            try await Self.run(
                """
                SELECT register_worker(gen_random_uuid(), 'h', 1, 'cpu', 'cpu', '{}', 0, 'e', '{}', 1e-9, 1);
                UPDATE queue_clock SET ticked_at = ticked_at - interval '1 hour';
                """, in: database)
            try await queue.reap()
            #expect(try await Self.count("queue_clock WHERE cap_seconds >= 0.3", in: database) == 1)
            #expect(try await Self.count("queue_clock WHERE observed_seconds >= 0.3", in: database) == 1)
        }
    }

    /// What one worker says of its shards must not spoil the sums that all claims, lists and charges are made of.
    @Test func numbersOfAnySizeSpoilNoSum() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 4)]))
            for device in ["one", "two"] {
                let lease = try await queue.register(worker(deviceKind: device))
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                var result = publication(of: shard, seconds: 1.7e308)
                result.tokens = .max
                _ = try await queue.heartbeat(lease, holding: [shard.progress(samples: 1, tokens: .max)])
                #expect(try await queue.commit(shard, result) == .committed)
                try await queue.reap()
            }
            #expect(try await queue.chores().allSatisfy { $0.error == nil })
            #expect(try await queue.runs(limit: 10, project: nil).count == 1)
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            _ = try await queue.fail(shard, ShardFailure(message: "x", isPermanent: false, seconds: 1.7e308))
            #expect(try await queue.claim(lease, limit: 1).count == 1)
        }
    }

    /// More device time at once than halvings fit into a number, and a clock that stood far away.
    @Test func chargesOfAnySizeAreCharged() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 3)]))
            let lease = try await queue.register(worker())
            for seconds in [3.0, 1e12, 5.0] {
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                #expect(try await queue.commit(shard, publication(of: shard, seconds: seconds)) == .committed)
                try await Self.run(
                    "UPDATE project SET used_at = used_at + interval '\(seconds == 5 ? "1000 years" : "-1000 years")'",
                    in: database)
                try await queue.reap()
            }
            #expect(try await Self.count("usage_queue", in: database) == 0)
            #expect(try await Self.count("pace WHERE seconds BETWEEN 1e6 AND 2e7", in: database) == 1)
            #expect(try await Self.count("project WHERE used_seconds >= 1e6", in: database) == 1)
        }
    }

    /// A project that somebody has locked is charged later; the others are not held up, and nothing is charged twice.
    @Test func aLockedProjectIsChargedLater() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission("00000001", project: "locked", [job(shards: 1)]))
            try await queue.submit(submission("00000002", project: "free", [job(shards: 1)]))
            let lease = try await queue.register(worker())
            for _ in 0..<2 {
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                #expect(try await queue.commit(shard, publication(of: shard, seconds: 7)) == .committed)
            }
            let stranger = try await database.connect()
            try await stranger.execute(script: "BEGIN; UPDATE project SET weight = 2 WHERE name = 'locked'")
            try await queue.run(.charges, isForced: true)
            func used() async throws -> [Double] {
                try await queue.projects().sorted { $0.name < $1.name }.map { $0.usedSeconds.rounded() }
            }
            #expect(try await used() == [7, 0])
            try await stranger.execute(script: "ROLLBACK")
            await stranger.close()
            try await queue.run(.charges, isForced: true)
            try await queue.run(.charges, isForced: true)
            #expect(try await used() == [7, 7])
        }
    }

    /// Retrying a run wakes the jobs that have something, and no others.
    @Test func aRetryOfManyJobsLeavesClaimsQuick() async throws {
        try await withPostgresQueue { database, queue in
            let jobs = (0..<400).map { job($0, shards: 1) }
            let run = try await queue.submit(submission(jobs)).id
            let lease = try await queue.register(worker(), ttl: .seconds(3600))
            for number in 0..<400 {
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                if number == 200 {
                    #expect(try await queue.fail(shard, failure(isPermanent: true)) == .failed)
                } else {
                    #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
                }
            }
            #expect(try await queue.claim(lease, limit: 1).isEmpty)
            #expect(try await Self.count("job WHERE is_runnable", in: database) < 300)
            #expect(try await queue.claim(lease, limit: 1).isEmpty)
            #expect(try await queue.retry(.run(run), onlyFailed: false) == 1)
            #expect(try await Self.count("job WHERE is_runnable", in: database) <= 1)
            #expect(try await queue.claim(lease, limit: 1).map(\.job.ordinal) == [200])
        }
    }

    /// What was switched off by a session that did not see what others had committed is found again.
    @Test func aLostWakeUpIsMended() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 1)]))
            try await queue.reap()
            try await Self.run("UPDATE job SET is_runnable = false", in: database)
            let lease = try await queue.register(worker())
            #expect(try await queue.claim(lease, limit: 1).isEmpty)
            #expect(try await queue.run(.mending, isForced: true)?.changed == 1)
            #expect(try await queue.claim(lease, limit: 1).count == 1)
        }
    }

    /// A cancelled job is cancelled at once for everybody who looks, however many shards are marked later.
    @Test func aLargeCancelTakesEffectAtOnceAndIsSweptInSlices() async throws {
        try await withPostgresQueue { database, queue in
            let run = try await queue.submit(submission([job(shards: 25_000, rows: 1)])).id
            let lease = try await queue.register(worker())
            let held = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(try await queue.cancel(.run(run)) == 24_999)
            #expect(try await Self.count("shard WHERE state = 'cancelled'", in: database) == 0)
            let counts = try await queue.onlyJob().progress.shards
            #expect((counts.cancelled, counts.ready, counts.running) == (24_999, 0, 1))
            #expect(try await queue.claim(lease, limit: 1).isEmpty)
            #expect(try await queue.openShardCount(run: run) == 1)
            #expect(try await queue.shards(of: held.job).count { $0.state == .cancelled } == 24_999)
            #expect(try await queue.heartbeat(lease, holding: [held.progress()]).cancelled == [held.key])
            try await queue.run(.cancellations, isForced: true)
            #expect(try await Self.count("shard WHERE state = 'cancelled'", in: database) == 10_000)
            // In the middle of it somebody changes their mind.
            #expect(try await queue.retry(.run(run), onlyFailed: false) == 24_999)
            let again = try await queue.onlyJob().progress.shards
            #expect((again.cancelled, again.ready, again.running) == (0, 24_999, 1))
            #expect(try await queue.cancel(.run(run)) == 24_999)
            for _ in 0..<4 { try await queue.run(.cancellations, isForced: true) }
            #expect(try await Self.count("shard WHERE state = 'cancelled'", in: database) == 24_999)
            #expect(try await Self.count("job WHERE NOT is_swept", in: database) == 0)
        }
    }

    /// An archived run is history at once, and moves in slices.
    @Test func archivingMovesInSlices() async throws {
        try await withPostgresQueue { database, queue in
            let run = try await queue.submit(submission([job(shards: 12_000, rows: 1)])).id
            try await queue.cancel(.run(run))
            try await Self.run("UPDATE run SET submitted_at = now() - interval '2 days'", in: database)
            #expect(try await queue.archive(olderThan: .zero, limit: 9) == 1)
            let error = await #expect(throws: QueueError.self) { try await queue.retry(.run(run), onlyFailed: false) }
            #expect(error?.code == .conflict)
            for left in [7_000, 2_000, 0] {
                #expect(try await queue.run(.archive, isForced: true)?.changed ?? 0 > 0)
                #expect(try await Self.count("shard", in: database) == left)
                #expect(try await queue.shards(of: try await queue.onlyJob().id).count == 12_000)
            }
            #expect(try await Self.count("run WHERE NOT is_moved", in: database) == 0)
        }
    }

    /// A dependency on a run is one row, however many jobs that has, and is met by the end of the last of them.
    @Test func aDependencyOnALargeRunIsOneRow() async throws {
        try await withPostgresQueue { database, queue in
            let needed = try RunID("00000001")
            try await queue.submit(submission("00000001", (0..<60).map { job($0, shards: 1) }))
            try await queue.submit(
                submission("00000002", (0..<60).map { job($0, shards: 1, after: [JobDependency(.run(needed))]) }))
            #expect(try await Self.count("job_need", in: database) == 60)
            #expect(try await queue.job(matching: "00000002.7").reason == "waits for run 00000001")
            let lease = try await queue.register(worker())
            for _ in 0..<60 {
                let shard = try #require(try await queue.claim(lease, limit: 1).first)
                #expect(shard.run == needed)
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            }
            #expect(try await queue.claim(lease, limit: 1).isEmpty)
            try await queue.reap()
            #expect(try await queue.claim(lease, limit: 1).first?.run.text == "00000002")
            #expect(try await Self.count("needed_run", in: database) == 0)
        }
    }

    /// What a program of the release before writes, row by row, is understood.
    @Test func dependenciesOfTheReleaseBeforeCount() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(0, shards: 1), job(1, shards: 1)]))
            try await Self.run(
                """
                UPDATE job SET gate = 'waiting', gate_reason = 'waits for other jobs', is_runnable = false
                    WHERE ordinal = 1;
                INSERT INTO job_dependency (job_id, needs_job, condition)
                    SELECT max(job_id), min(job_id), 'ok' FROM job;
                SELECT open_gates()
                """, in: database)
            #expect(try await queue.job(matching: "k3f9x2a0.1").reason == "waits for k3f9x2a0.0")
            let lease = try await queue.register(worker())
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(shard.job.ordinal == 0)
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            try await queue.reap()
            #expect(try await queue.claim(lease, limit: 1).map(\.job.ordinal) == [1])
        }
    }

    /// Statistics are there when they are needed, whatever autovacuum does.
    @Test func theTablesOfALargeSubmissionAreCounted() async throws {
        try await withPostgresQueue { database, queue in
            try await Self.run("ALTER TABLE shard SET (autovacuum_enabled = false)", in: database)
            try await queue.submit(submission([job(shards: 20_000, rows: 1)]))
            try await queue.run(.statistics, isForced: true)
            let statement = PostgresStatement(
                name: "tuples", sql: "SELECT reltuples::int8 AS n FROM pg_class WHERE oid = 'shard'::regclass")
            #expect(try await database.pool.query(statement).only().decode("n", as: Int.self) == 20_000)
        }
    }

    /// Rows of workers that never claimed anything do not pile up; all that history refers to stays.
    @Test func workersThatNeverClaimedAnythingAreForgotten() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 3)]))
            let used = try await queue.register(worker())
            let failing = try await queue.register(worker())
            let idle = try await queue.register(worker())
            let young = try await queue.register(worker())
            let alive = try await queue.register(worker())
            let shard = try #require(try await queue.claim(used, limit: 1).first)
            #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            let failed = try #require(try await queue.claim(failing, limit: 1).first)
            _ = try await queue.fail(failed, failure())
            for lease in [used, failing, idle, young] { try await queue.deregister(lease) }
            try await Self.run(
                """
                UPDATE worker SET registered_at = registered_at - interval '31 days', ended_at = ended_at - interval '31 days'
                WHERE worker_id <> \(young.worker.number)
                """, in: database)
            #expect(try await queue.run(.departures, isForced: true)?.changed == 1)
            let left = try await database.pool.query(
                PostgresStatement(name: "left", sql: "SELECT worker_id FROM worker ORDER BY worker_id"))
            let expected = [used, failing, young, alive].map(\.worker.number)
            #expect(try left.map { try $0.decode("worker_id", as: Int64.self) } == expected.sorted())
            #expect(try await queue.run(.departures, isForced: true)?.changed == 0)
        }
    }
}
