import FaultTesting
import Foundation
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// Somebody else's transaction stays open: whatever rows it has locked, work goes on around them.
@Suite struct StrangersLockTests {
    private static func run(_ sql: String, in database: TestDatabase) async throws {
        try await database.pool.withConnection { try await $0.execute(script: sql) }
    }

    /// Runs `body` while somebody's transaction has done `sql` and stays open.
    private static func during<Value>(
        _ sql: String, in database: TestDatabase, _ body: () async throws -> Value
    ) async throws -> Value {
        let stranger = try await database.connect()
        try await stranger.execute(script: "BEGIN; \(sql)")
        let result = try await body()
        try await stranger.execute(script: "ROLLBACK")
        await stranger.close()
        try await Certificate.record(["lock of a stranger": 1], in: database.pool)
        return result
    }

    /// At any row but the shard's own it stops neither claims nor commits; nor heartbeats, unless it is at the worker's.
    @Test(arguments: [
        "UPDATE project SET weight = 2", "UPDATE worker SET is_draining = is_draining",
        "SELECT * FROM job FOR UPDATE", "UPDATE chore SET every_seconds = 3",
        "UPDATE queue_clock SET cap_seconds = 19", "SELECT * FROM run FOR UPDATE",
        // What a reader could lock where locks have numbers.
        "SELECT pg_advisory_lock(current_schema()::regnamespace::oid::integer, project_id) FROM project",
    ])
    func nobodysLockStopsWork(_ sql: String) async throws {
        try await withPostgresQueue { database, queue in
            try await queue.changeProject("default", ProjectChange(hardCap: .set(50)))
            try await queue.submit(submission([job(shards: 4, rows: 1)]))
            let lease = try await queue.register(worker(identity: EngineTests.one), ttl: .seconds(60))
            let limited = try await database.connect()
            try await limited.execute(script: "SET lock_timeout = '2s'")
            try await Self.during(sql, in: database) {
                let claim = PostgresStatement(
                    name: "claim",
                    sql: """
                        SELECT job_id, shard_no, epoch
                        FROM claim_shards($1::int8, $2::uuid, 1, NULL, NULL, false, '{}', '{}')
                        """)
                let row = try await limited.query(claim, [lease.worker.number, lease.incarnation.uuid]).only()
                let (job, shard, epoch) = (
                    try row.decode("job_id", as: Int64.self), try row.decode("shard_no", as: Int.self),
                    try row.decode("epoch", as: Int.self)
                )
                if !sql.contains("worker") {
                    let heartbeat = PostgresStatement(
                        name: "beat",
                        sql: "SELECT kind FROM heartbeat($1::int8, $2::uuid, '{}', '{}', '{}', '{}', '{}', NULL, '{}')")
                    let kinds = try await limited.query(heartbeat, [lease.worker.number, lease.incarnation.uuid])
                    #expect(try kinds.map { try $0.decode("kind", as: String.self) } == ["lease"])
                }
                let commit = PostgresStatement(
                    name: "commit",
                    sql: """
                        SELECT outcome FROM commit_shards(ARRAY[$1::int8], ARRAY[$2::int4], ARRAY[$3::int4], ARRAY[$4::uuid],
                            ARRAY['x'], ARRAY[1::int8], ARRAY[repeat('0', 64)], ARRAY[repeat('0', 64)], ARRAY[1],
                            ARRAY[1::int8], ARRAY[1.0::float8])
                        """)
                let outcome = try await limited.query(commit, [job, shard, epoch, lease.incarnation.uuid]).only()
                #expect(try outcome.decode("outcome", as: String.self) == "committed")
            }
            await limited.close()
        }
    }

    /// A claim that was left open has its project's cap to itself; other projects are not its business.
    @Test func aClaimThatIsLeftOpenKeepsOthersFromItsCapAlone() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.changeProject("capped", ProjectChange(hardCap: .set(2)))
            try await queue.submit(submission("00000001", project: "capped", [job(shards: 4)]))
            try await queue.submit(submission("00000002", project: "free", [job(shards: 4)]))
            let (open, other) = (try await queue.register(worker()), try await queue.register(worker()))
            let claim = """
                SELECT * FROM claim_shards(\(open.worker.number), '\(open.incarnation.uuid)', 1, NULL, NULL, false, '{}', '{}')
                """
            try await Self.during(claim, in: database) {
                let claimed = try await queue.claim(other, limit: 9)
                #expect(claimed.map(\.run.text) == Array(repeating: "00000002", count: 4))
                #expect(try await queue.claim(other, limit: 9).isEmpty)
            }
            #expect(try await queue.claim(other, limit: 9).count == 2, "as many as the cap allows")
        }
    }

    /// Two that have waited for the caps of two projects, and found them full, don't wait for each other.
    @Test func claimsOfCappedProjectsDoNotWaitForEachOther() async throws {
        try await withPostgresQueue { database, queue in
            for project in ["one", "two"] { try await queue.changeProject(project, ProjectChange(hardCap: .set(1))) }
            let models = ["one": "a", "two": "b"].mapValues { String(repeating: $0, count: 64) }
            for (place, project) in ["one", "two"].enumerated() {
                var job = job(shards: 9)
                job.modelSHA256 = try #require(models[project])
                try await queue.submit(submission("0000000\(place)", project: project, [job]))
            }
            // Each prefers a project of its own, and fills it in a transaction that stays open for a while.
            var leases: [String: [WorkerLease]] = [:]
            for (project, model) in models {
                for _ in 0..<2 {
                    let description = WorkerDescription(
                        host: "h", pid: 1, device: "cpu", engine: "e", warmModels: [model])
                    leases[project, default: []].append(try await queue.register(description))
                }
            }
            try await Self.run("UPDATE job SET load_seconds = 100", in: database)
            var strangers: [PostgresConnection] = []
            for project in ["one", "two"] {
                let lease = try #require(leases[project]?.first)
                let stranger = try await database.connect()
                try await stranger.execute(
                    script: """
                        BEGIN;
                        SELECT * FROM claim_shards(\(lease.worker.number), '\(lease.incarnation.uuid)', 1, NULL, NULL, false,
                            '{}', '{}')
                        """)
                strangers.append(stranger)
            }
            let (one, two) = (try #require(leases["one"]?.last), try #require(leases["two"]?.last))
            async let first = queue.claim(one, limit: 1)
            async let second = queue.claim(two, limit: 1)
            // Both wait, or have given up waiting, before anybody may go on.
            let waiting = PostgresStatement(
                name: "waiting",
                sql: """
                    SELECT count(*)::int AS n FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """)
            for _ in 0..<500 {
                if try await database.pool.query(waiting).only().decode("n", as: Int.self) == 2 { break }
            }
            for stranger in strangers { try await stranger.execute(script: "COMMIT") }
            // A deadlock would be an error of one of them.
            let claimed = try await [first, second]
            #expect(claimed.allSatisfy { $0.isEmpty }, "both caps are reached")
            for stranger in strangers { await stranger.close() }
        }
    }

    /// Changing a whole run, such as cancelling it, locks all of its jobs and shards, however many there are.
    @Test(arguments: [10, 300]) func aRunThatSomebodyIsAtHidesNoOther(jobs: Int) async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission("00000001", (0..<jobs).map { job($0, shards: 1) }))
            try await queue.submit(submission("00000002", [job(shards: 2)]))
            let lease = try await queue.register(worker())
            try await Self.during("SELECT cancel_jobs('00000001', NULL, 'x')", in: database) { () async throws in
                #expect(try await queue.claim(lease, limit: 9).map(\.run.text) == ["00000002", "00000002"])
            }
            #expect(try await queue.claim(lease, limit: 9).map(\.run.text) == ["00000001"])
        }
    }

    /// A heartbeat must not be late because a job is locked whose shard it would give back.
    @Test func aHeartbeatDoesNotWaitForALockedJob() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(0, shards: 1), job(1, shards: 1)]))
            let lease = try await queue.register(worker(), ttl: .seconds(4))
            let known = try await queue.claim(lease, limit: 1)
            let unknown = try await queue.claim(lease, limit: 1)
            #expect(known.count == 1 && unknown.count == 1)
            try await Self.run("UPDATE shard SET started_at = started_at - interval '3 seconds'", in: database)
            let limited = try await database.connect()
            try await limited.execute(script: "SET statement_timeout = '1s'")
            try await Self.during("SELECT * FROM job FOR UPDATE", in: database) { () async throws in
                let heartbeat = PostgresStatement(
                    name: "beat",
                    sql: """
                        SELECT kind FROM heartbeat($1::int8, $2::uuid, ARRAY[$3::int8], ARRAY[0], ARRAY[1], ARRAY[0], ARRAY[0::int8],
                            NULL, ARRAY[$4::text])
                        """)
                let rows = try await limited.query(
                    heartbeat,
                    [lease.worker.number, lease.incarnation.uuid, known[0].job.number, known[0].job.name])
                #expect(rows.count == 1, "the lease alone")
            }
            await limited.close()
            let reply = try await queue.heartbeat(lease, holding: known.map { $0.progress() })
            #expect(reply.lost.isEmpty && reply.cancelled.isEmpty)
            #expect(try await queue.shards(of: unknown[0].job).map(\.state) == [.ready])
        }
    }

    /// What dead workers had comes back, whosever job is locked; the rest comes when it is not.
    @Test func aLockedJobDelaysItsOwnOrphansAlone() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission((0..<3).map { job($0, shards: 1) }))
            let lease = try await queue.register(worker(), ttl: .seconds(60))
            for _ in 0..<3 { #expect(try await queue.claim(lease, limit: 1).count == 1) }
            try await Self.run("UPDATE worker SET seen_seconds = -1000", in: database)
            try await Self.during("SELECT * FROM job WHERE ordinal = 0 FOR UPDATE", in: database) {
                let report = try await queue.reap()
                #expect((report.workers, report.requeued) == (1, 2))
            }
            #expect(try await queue.reap().requeued == 1)
        }
    }

    /// Those behind them come first, however many are due of the job that is locked.
    @Test func dueShardsOfALockedJobHideNoOthers() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(0, shards: 40, rows: 1), job(1, shards: 3)]))
            try await Self.run(
                """
                UPDATE shard SET state = 'blocked', not_before = now() - interval '1 hour' * (2 - s.ordinal)
                FROM job s WHERE s.job_id = shard.job_id
                """, in: database)
            func promoted() async throws -> Int {
                try await database.pool.query(
                    PostgresStatement(name: "promote", sql: "SELECT promote_shards(20, 10) AS count")
                ).only().decode("count", as: Int.self)
            }
            try await Self.during("SELECT * FROM job WHERE ordinal = 0 FOR UPDATE", in: database) { () async throws in
                #expect(try await promoted() == 3)
                #expect(try await promoted() == 0)
            }
            #expect(try await promoted() == 20)
        }
    }

    /// What a chore does within a claim must not stop the claim.
    @Test func aClaimGoesOnWhenNothingCanBePromoted() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(0, shards: 1), job(1, shards: 1)]))
            try await Self.run(
                """
                UPDATE shard SET state = 'blocked', not_before = now() - interval '1 hour'
                FROM job s WHERE s.job_id = shard.job_id AND s.ordinal = 0;
                CREATE OR REPLACE FUNCTION promote_shards(p_limit integer, p_passes integer) RETURNS integer
                LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '22003'; END $$
                """, in: database)
            let lease = try await queue.register(worker())
            #expect(try await queue.claim(lease, limit: 9).map(\.job.ordinal) == [1])
        }
    }

    /// A locked job does not tie up its workers: they move on, and the shard is there for others.
    @Test func aFailureOfALockedJobIsNotWaitedFor() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 1)]))
            let (lease, other) = (try await queue.register(worker()), try await queue.register(worker()))
            let shard = try #require(try await queue.claim(lease, limit: 1).first)
            try await Self.during("SELECT * FROM job FOR UPDATE", in: database) {
                #expect(try await queue.fail(shard, failure()) == .jobIsLocked)
                #expect(try await queue.release([shard], note: "locked").isEmpty)
                // Old enough to be taken over.
                try await Self.run("UPDATE shard SET started_at = started_at - interval '3 seconds'", in: database)
                let taken = try #require(try await queue.claim(other, limit: 1).first)
                #expect(taken.key == shard.key && taken.attempt == 1)
                #expect(try await queue.commit(taken, publication(of: taken)) == .committed)
            }
            #expect(try await queue.commit(shard, publication(of: shard)) == .fenced)
        }
    }

    /// The first result of a locked job counts, and fixes its engine; claims learn of that a little later.
    @Test func theFirstResultWaitsForNobodyAtTheJob() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 3)]))
            let mine = try await queue.register(worker(identity: EngineTests.one))
            let theirs = try await queue.register(worker(identity: EngineTests.other))
            let first = try #require(try await queue.claim(mine, limit: 1).first)
            let outcome = try await Self.during("SELECT * FROM job FOR UPDATE", in: database) {
                try await queue.commit(first, publication(of: first))
            }
            #expect(outcome == .committed)
            #expect(try await queue.onlyJob().engine == EngineTests.one)
            let late = try #require(try await queue.claim(theirs, limit: 1).first)
            #expect(try await queue.commit(late, publication(of: late)) == .unlike)
            #expect(try await queue.release([late]) == [late.key])
            #expect(try await queue.claim(theirs, limit: 1).isEmpty)
            #expect(try await queue.claim(mine, limit: 3).map(\.index) == [1, 2])
        }
    }

    /// A worker that leaves while a job is locked is no reason to suspect its shard.
    @Test func leavingWhileAJobIsLockedIsNoLoss() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(0, shards: 1), job(1, shards: 1)]))
            let lease = try await queue.register(worker())
            for _ in 0..<2 { #expect(try await queue.claim(lease, limit: 1).count == 1) }
            try await Self.during("SELECT * FROM job WHERE ordinal = 0 FOR UPDATE", in: database) {
                try await queue.deregister(lease)
                #expect(try await queue.job(matching: "k3f9x2a0.1").progress.shards.ready == 1)
                #expect(try await queue.job(matching: "k3f9x2a0.0").progress.shards.running == 1)
            }
            #expect(try await queue.reap().requeued == 1)
            let losses = PostgresStatement(name: "losses", sql: "SELECT sum(losses)::int AS n FROM shard")
            #expect(try await database.pool.query(losses).only().decode("n", as: Int.self) == 0)
            let job = try await queue.job(matching: "k3f9x2a0.0")
            #expect(try await queue.attempts(of: job.id).map(\.error) == ["the worker left"])
        }
    }

    /// However many jobs have only shards that wait for another worker.
    @Test func jobsThatAvoidAWorkerHideNoOthers() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission((0..<60).map { job($0, shards: 1) }))
            let lease = try await queue.register(worker())
            try await Self.run(
                """
                UPDATE shard SET avoid_worker = \(lease.worker.number), avoid_until = now() + interval '1 hour'
                FROM job s WHERE s.job_id = shard.job_id AND s.ordinal < 59
                """, in: database)
            #expect(try await queue.claim(lease, limit: 9).map(\.job.ordinal) == [59])
        }
    }

    /// Nulls in what is to be left out leave out nothing else.
    @Test func nothingIsLeftOutForANull() async throws {
        try await withPostgresQueue { database, queue in
            try await queue.submit(submission([job(shards: 3)]))
            let lease = try await queue.register(worker())
            for lists in ["NULL, NULL", "'{NULL}', '{NULL}'", "'{1000000,NULL}', '{NULL,00ff}'"] {
                let claim = PostgresStatement(
                    name: "claim", sql: "SELECT shard_no FROM claim_shards($1, $2, 1, NULL, NULL, false, \(lists))")
                let rows = try await database.pool.query(claim, [lease.worker.number, lease.incarnation.uuid])
                #expect(rows.count == 1, "\(lists)")
            }
        }
    }
}
