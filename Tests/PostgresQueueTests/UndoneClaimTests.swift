import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// Claims are committed asynchronously: a crash of the server, a fail-over or a restored dump may know nothing of one.
@Suite struct UndoneClaimTests {
    @Test func aResultCountsWhileNobodyHasTheShard() async throws {
        try await withUndoneClaims(of: 3) { queue, _, claimed, _ in
            #expect(try await queue.supersededClaims(among: claimed).isEmpty)
            for shard in claimed {
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
                #expect(try await queue.commit(shard, publication(of: shard)) == .already)
            }
            let results = try await queue.results(of: claimed[0].job)
            #expect(results.map(\.epoch) == [Epoch(1), Epoch(1), Epoch(2)])
            #expect(results.map(\.incarnation) == claimed.map(\.incarnation))
            #expect(try await queue.onlyJob().progress.shards.done == 3)
        }
    }

    /// The job stands in its folder's name, and in the file's own unless a worker of an older release wrote it.
    @Test(arguments: [
        ("runs/k3f9x2a0/k3f9x2a0.0/k3f9x2a0.0.", CommitOutcome.committed), ("runs/k3f9x2a0/k3f9x2a0.0/", .committed),
        ("runs/k3f9x2a0/k3f9x2a0.0/k3f9x2a0.1.", .fenced), ("runs/k3f9x2a0/k3f9x2a0.1/k3f9x2a0.0.", .fenced),
        ("runs/k3f9x2a1/k3f9x2a0.0/k3f9x2a0.0.", .fenced), ("runs/k3f9x2a0/k3f9x2a0.0/k3f9x2a0.0", .fenced),
    ])
    func theJobIsToldByTheFilesName(start: String, expected: CommitOutcome) async throws {
        try await withUndoneClaims(of: 3) { queue, _, claimed, _ in
            let shard = try #require(claimed.first)
            var result = publication(of: shard)
            result.path = "\(start)shard-\(shard.index).e\(shard.epoch).\(shard.incarnation).h5"
            #expect(try await queue.commit(shard, result) == expected)
        }
    }

    @Test func aResultIsFencedWhenAnotherHasTheShard() async throws {
        try await withUndoneClaims(of: 3) { queue, _, claimed, _ in
            let other = try await queue.register(worker())
            let again = try await queue.claim(other, limit: 3)
            #expect(again.map(\.key) == claimed.map(\.key))
            // The same epochs, issued a second time.
            #expect(again.map(\.epoch) == claimed.map(\.epoch))
            #expect(try await queue.supersededClaims(among: claimed) == claimed)
            for shard in claimed { #expect(try await queue.commit(shard, publication(of: shard)) == .fenced) }
            for shard in again { #expect(try await queue.commit(shard, publication(of: shard)) == .committed) }
            #expect(try await queue.results(of: claimed[0].job).map(\.incarnation) == again.map(\.incarnation))
        }
    }

    @Test func aHeartbeatTakesThemBack() async throws {
        try await withUndoneClaims(of: 3) { queue, lease, claimed, _ in
            let reply = try await queue.heartbeat(lease, holding: claimed.map { $0.progress(samples: 1, tokens: 1) })
            #expect(reply.lost.isEmpty && reply.cancelled.isEmpty)
            let shards = try await queue.shards(of: claimed[0].job)
            #expect(shards.map(\.state) == [.running, .running, .running])
            #expect(shards.map(\.epoch) == claimed.map(\.epoch))
            // Nobody computes them a second time.
            let other = try await queue.register(worker())
            #expect(try await queue.claim(other, limit: 3).isEmpty)
            for shard in claimed { #expect(try await queue.commit(shard, publication(of: shard)) == .committed) }
            #expect(try await queue.onlyJob().progress.shards.done == 3)
        }
    }

    /// What was claimed by others, cancelled or given up in the meantime is not taken back.
    @Test func aHeartbeatTakesNothingFromOthers() async throws {
        try await withUndoneClaims(of: 3) { queue, lease, claimed, _ in
            let other = try await queue.register(worker())
            let again = try await queue.claim(other, limit: 1)
            #expect(again.map(\.key) == [claimed[0].key])
            let holding = claimed.map { $0.progress(samples: 1, tokens: 1) }
            #expect(try await queue.heartbeat(lease, holding: holding).lost == [claimed[0].key])
            #expect(try await queue.commit(again[0], publication(of: again[0])) == .committed)
            #expect(try await queue.heartbeat(lease, holding: holding).lost == [claimed[0].key])
        }
        try await withUndoneClaims(of: 3) { queue, lease, claimed, _ in
            _ = try await queue.cancel(.run(claimed[0].key.job.run))
            let reply = try await queue.heartbeat(lease, holding: claimed.map { $0.progress(samples: 1, tokens: 1) })
            #expect(reply.lost.count + reply.cancelled.count == 3)
            #expect(try await queue.shards(of: claimed[0].job).allSatisfy { $0.state == .cancelled })
        }
    }

    /// A restored database may have given the job's number to another job since.
    @Test func theNumberOfAnotherJobIsNotMistakenForIt() async throws {
        try await withUndoneClaims(of: 3) { queue, lease, claimed, database in
            try await database.pool.withConnection {
                try await $0.execute(
                    script: """
                        SET session_replication_role = replica;
                        UPDATE job SET run_id = 'zzzzzzzz';
                        UPDATE run SET run_id = 'zzzzzzzz';
                        """)
            }
            let holding = claimed.map { $0.progress(samples: 1, tokens: 1) }
            #expect(try await queue.heartbeat(lease, holding: holding).lost.count == 3)
            for shard in claimed { #expect(try await queue.commit(shard, publication(of: shard)) == .fenced) }
            #expect(try await queue.results(of: claimed[0].job).isEmpty)
        }
    }

    /// No answer to a heartbeat brings a shard near the end of the numbers.
    @Test func anEpochFarAheadIsNobodys() async throws {
        try await withUndoneClaims(of: 3) { queue, lease, claimed, database in
            let heartbeat = PostgresStatement(
                name: "far",
                sql: """
                    SELECT kind FROM heartbeat($1::int8, $2::uuid, ARRAY[$3::int8], ARRAY[0], ARRAY[2147483647], ARRAY[0],
                        ARRAY[0::int8], NULL, ARRAY[$4::text])
                    """)
            _ = try await database.pool.query(
                heartbeat,
                [lease.worker.number, lease.incarnation.uuid, claimed[0].job.number, "\(claimed[0].jobName)"])
            #expect(try await queue.shards(of: claimed[0].job).map(\.epoch.rawValue) == [0, 0, 1])
        }
    }

    @Test func aHeldJobIsNotTakenBack() async throws {
        try await withUndoneClaims(of: 3) { queue, lease, claimed, _ in
            _ = try await queue.hold(.run(claimed[0].key.job.run), reason: "look")
            let holding = claimed.map { $0.progress(samples: 1, tokens: 1) }
            #expect(try await queue.heartbeat(lease, holding: holding).lost.count == 3)
            // What is finished all the same counts.
            #expect(try await queue.commit(claimed[0], publication(of: claimed[0])) == .committed)
        }
    }

    /// A worker that the database has never seen proves nothing, whatever epoch it names.
    @Test func anUnknownWorkerCommitsNothing() async throws {
        try await withUndoneClaims(of: 3) { queue, _, claimed, database in
            try await database.pool.withConnection {
                try await $0.execute(
                    script: "UPDATE worker SET incarnation = gen_random_uuid()")
            }
            for shard in claimed { #expect(try await queue.commit(shard, publication(of: shard)) == .fenced) }
            #expect(try await queue.results(of: claimed[0].job).isEmpty)
        }
    }

    /// The last shard has been claimed and failed before its last claim: it waits, or waited, for its next attempt.
    private func withUndoneClaims(
        of count: Int,
        _ body: (PostgresJobQueue, WorkerLease, [ClaimedShard], TestDatabase) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.submit(submission([job(shards: count)]))
            let first = try await queue.register(worker())
            let failing = try #require(try await queue.claim(first, limit: count).last)
            _ = try await queue.fail(failing, failure())
            try await queue.deregister(first)
            try await database.pool.withConnection {
                // As it was before any claim, but for the shard that failed.
                try await $0.execute(
                    script: """
                        UPDATE shard SET not_before = clock_timestamp(), avoid_worker = NULL, avoid_until = NULL
                        WHERE state = 'blocked';
                        UPDATE shard SET epoch = 0, worker_id = NULL, incarnation = NULL, started_at = NULL
                        WHERE state = 'ready';
                        CREATE TABLE before AS SELECT * FROM shard;
                        """)
            }
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: count)
            #expect(claimed.map(\.epoch.rawValue) == [1, 1, 2])
            try await database.pool.withConnection {
                try await $0.execute(
                    script: """
                        UPDATE shard s SET state = b.state, epoch = b.epoch, worker_id = b.worker_id,
                            incarnation = b.incarnation, started_at = b.started_at, not_before = b.not_before
                        FROM before b WHERE s.job_id = b.job_id AND s.shard_no = b.shard_no;
                        """)
            }
            try await body(queue, lease, claimed, database)
        }
    }
}
