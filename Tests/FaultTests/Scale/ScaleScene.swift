import FaultTesting
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Synchronization
import Testing

/// How much there is of everything.
enum Scale {
    /// In a soak; other runs take a part that is over in seconds.
    static let isFull = FaultSuite.HistoryTests.minutes != nil

    static func of(_ full: Int, _ part: Int) -> Int { isFull ? full : part }

    /// What a worker's session allows a statement; for a part of the work there is a part of the time.
    static let statementLimit: Duration = isFull ? .seconds(30) : .seconds(5)

    /// How long the work of one test may go on.
    static let patience: Duration = isFull ? .seconds(600) : .seconds(60)
}

/// A queue with a lot in it, and workers that have nothing to compute.
final class ScaleScene: Sendable {
    private struct State {
        var calls: [String: Int] = [:]
        var slowest: [String: Duration] = [:]
        var sent: [RunID: Int] = [:]
        var accepted: [RunID: Set<ShardKey>] = [:]
        var doubled = 0
        var refused = 0
    }

    static let description = WorkerDescription(host: "scale", pid: 1, device: "cpu", engine: "scale 1")

    let database: TestDatabase
    /// With the limits of a worker's session.
    let queue: PostgresJobQueue
    private let pool: PostgresPool
    /// A worker's heartbeat has connections of its own.
    private let leaseQueue: PostgresJobQueue
    private let leasePool: PostgresPool
    private let state = Mutex(State())
    private let isOver = Atomic(false)

    private init(_ database: TestDatabase) {
        self.database = database
        pool = Self.pool(database, limit: Scale.statementLimit, cancel: .seconds(5), size: 20)
        let patience = min(WorkerLease.heartbeatTimeout(ttl: WorkerLease.defaultTTL), Scale.statementLimit)
        leasePool = Self.pool(database, limit: patience, cancel: .zero, size: 8)
        queue = PostgresJobQueue(pool)
        leaseQueue = PostgresJobQueue(leasePool)
    }

    /// Runs `body` with a queue of its own.
    static func with(
        _ name: String, poolSize: Int = 4, _ body: (ScaleScene) async throws -> Void
    ) async throws {
        try await withTestDatabase(poolSize: poolSize) { database in
            try await Migrator(database.pool).migrate()
            let scene = ScaleScene(database)
            do {
                try await body(scene)
            } catch {
                await scene.close()
                throw error
            }
            await scene.close()
            print("fault tests: \(name): slowest \(scene.summary)")
        }
    }

    private static func pool(_ database: TestDatabase, limit: Duration, cancel: Duration, size: Int) -> PostgresPool {
        var configuration = database.configuration
        configuration.statementTimeout = limit
        configuration.cancelTimeout = cancel
        var options = PostgresPool.Options()
        options.size = size
        options.reconnectTimeout = .zero
        return PostgresPool(configuration, on: database.loop, options: options)
    }

    private func close() async {
        await pool.shutDown()
        await leasePool.shutDown()
    }

    // MARK: What happened

    /// How many calls of this kind have been answered.
    func calls(_ call: String) -> Int { state.withLock { $0.calls[call] ?? 0 } }

    /// How many results of a run were sent to be committed.
    func sent(_ run: RunID) -> Int { state.withLock { $0.sent[run] ?? 0 } }

    /// How many shards of a run have a result that was accepted.
    func accepted(_ run: RunID) -> Int { state.withLock { $0.accepted[run]?.count ?? 0 } }

    private var summary: String {
        state.withLock { state in
            state.slowest.sorted { $0.key < $1.key }
                .map { "\($0.key) \(Int($0.value / .milliseconds(1))) ms of \(state.calls[$0.key] ?? 0)" }
                .joined(separator: ", ")
        }
    }

    /// Makes a call, and notes how long it took.
    func timed<Value: Sendable>(_ call: String, _ body: () async throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        let value = try await body()
        let time = ContinuousClock.now - start
        state.withLock {
            $0.calls[call, default: 0] += 1
            $0.slowest[call] = max($0.slowest[call] ?? .zero, time)
        }
        return value
    }

    // MARK: Looking into the database

    func run(_ sql: String) async throws {
        try await self.database.pool.withConnection { try await $0.execute(script: sql) }
    }

    func count(_ sql: String) async throws -> Int {
        let statement = PostgresStatement(name: "count", sql: "SELECT count(*) AS count FROM \(sql)")
        return try await self.database.pool.query(statement).only().decode("count", as: Int.self)
    }

    /// How many rows a run has in a table of shards or results.
    func shards(of run: RunID, in table: String) async throws -> Int {
        try await count("\(table) JOIN job USING (job_id) WHERE run_id = '\(run)'")
    }

    /// Rows of a table that this session, the only one, has read so far.
    func rowsRead(of table: String) async throws -> Int {
        try await run("SELECT pg_stat_force_next_flush()")
        try await run("SELECT pg_stat_clear_snapshot()")
        let statement = PostgresStatement(
            name: "rows_read",
            sql: """
                SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_user_tables
                WHERE relid = to_regclass($1::text)
                """)
        return try await self.database.pool.query(statement, [table]).only().decode("rows", as: Int.self)
    }

    /// All that is known of a run's shards, their results and their attempts, wherever it lies: number and hash of the rows.
    func history(of run: RunID) async throws -> [String] {
        var found: [String] = []
        for view in ["every_shard", "every_result", "every_attempt"] {
            let statement = PostgresStatement(
                name: "history",
                sql: """
                    SELECT count(*) || ' rows of \(view), ' || coalesce(sum(hashtextextended(v::text, 0)::numeric), 0) AS text
                    FROM \(view) v JOIN job j USING (job_id) WHERE j.run_id = $1::text
                    """)
            let rows = try await self.database.pool.query(statement, [run.text])
            found.append(try rows.only().decode("text", as: String.self))
        }
        return found
    }

    // MARK: Filling the queue

    /// Submits a run whose jobs have so many shards each, of one row.
    func submit(
        _ id: String, jobs: Int = 1, shards: Int = 1, after: [JobDependency] = []
    ) async throws -> RunID {
        let jobs = (0..<jobs).map { ordinal in
            JobSubmission(
                ordinal: ordinal, task: "task", model: "model", modelSHA256: String(repeating: "a", count: 64),
                specification: "{}", sampleCount: shards,
                shards: (0..<shards).map { ShardRange(rowStart: $0, rowCount: 1) }, after: after)
        }
        let submission = RunSubmission(
            id: try RunID(id), name: "scale", user: "ada", specification: "{}", jobs: jobs)
        // Who submits has no limit.
        try await PostgresJobQueue(self.database.pool).submit(submission)
        return submission.id
    }

    /// Has every shard of a run been tried once, in vain, by a worker that has left.
    ///
    /// - Parameter outcome: What that came to, as assignments to the shards' columns.
    func fail(_ run: RunID, _ outcome: String) async throws {
        let worker = try await workerInPassing()
        try await self.run(
            """
            WITH ended AS (
                UPDATE shard s SET \(outcome), epoch = 1, failures = 1, worker_id = w.worker_id,
                    incarnation = w.incarnation, started_at = clock_timestamp()
                FROM job j, worker w
                WHERE j.job_id = s.job_id AND j.run_id = '\(run)' AND w.worker_id = \(worker.number)
                RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at)
            INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
            SELECT e.job_id, e.shard_no, e.epoch, 'failed', 'out of memory', e.worker_id, e.started_at FROM ended e
            """)
    }

    /// Gives every job of a run, which has one shard as yet, so many of them, all done long ago.
    func finish(_ run: RunID, shards: Int) async throws {
        let worker = try await workerInPassing()
        // Every tenth one needed a second attempt.
        try await self.run(
            """
            UPDATE shard s SET state = 'done', samples_done = 1, epoch = 2, failures = 1, worker_id = w.worker_id,
                incarnation = w.incarnation, started_at = clock_timestamp(), ended_at = clock_timestamp()
            FROM job j, worker w
            WHERE j.job_id = s.job_id AND j.run_id = '\(run)' AND w.worker_id = \(worker.number);
            INSERT INTO shard (
                job_id, shard_no, row_start, row_count, project_id, state, epoch, failures, samples_done, worker_id,
                incarnation, started_at, ended_at)
            SELECT s.job_id, n, n, 1, s.project_id, s.state, 1 + (n % 10 = 0)::integer, (n % 10 = 0)::integer, 1,
                s.worker_id, s.incarnation, s.started_at, s.ended_at
            FROM shard s JOIN job j USING (job_id) CROSS JOIN generate_series(1, \(shards - 1)) AS n
            WHERE j.run_id = '\(run)';
            INSERT INTO shard_result (
                job_id, shard_no, epoch, samples, incarnation, worker_id, bytes, tokens, seconds, started_at, sha256, path,
                digest)
            SELECT s.job_id, s.shard_no, s.epoch, 1, s.incarnation, s.worker_id, 1000, 10, 0.01, s.started_at,
                sha256(convert_to(s.job_id || '/' || s.shard_no, 'UTF8')),
                format('runs/%s/%s/shard-%s.h5', j.run_id, j.ordinal, s.shard_no),
                format('digest of %s.%s/%s', j.run_id, j.ordinal, s.shard_no)
            FROM shard s JOIN job j USING (job_id) WHERE j.run_id = '\(run)';
            INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
            SELECT s.job_id, s.shard_no, 1, 'failed', 'out of memory', s.worker_id, s.started_at
            FROM shard s JOIN job j USING (job_id) WHERE j.run_id = '\(run)' AND s.epoch = 2;
            UPDATE job j SET shard_count = \(shards), sample_count = \(shards) WHERE j.run_id = '\(run)';
            UPDATE run r SET submitted_at = clock_timestamp() - interval '2 days' WHERE r.run_id = '\(run)';
            """)
    }

    /// Has the first shards of a run's jobs done, up to this number.
    func finish(_ run: RunID, before number: Int) async throws {
        let worker = try await workerInPassing()
        try await self.run(
            """
            UPDATE shard s SET state = 'done', samples_done = 1, epoch = 1, worker_id = w.worker_id,
                incarnation = w.incarnation, started_at = clock_timestamp(), ended_at = clock_timestamp()
            FROM job j, worker w
            WHERE j.job_id = s.job_id AND j.run_id = '\(run)' AND s.shard_no < \(number)
                AND w.worker_id = \(worker.number);
            """)
    }

    private func workerInPassing() async throws -> WorkerID {
        let lease = try await self.queue.register(Self.description)
        try await run("INSERT INTO worker_use VALUES (\(lease.worker.number))")
        try await self.queue.deregister(lease)
        return lease.worker
    }

    // MARK: Workers

    /// Runs `body` while so many workers claim and commit; each of them has made its first claim before.
    ///
    /// - Parameter onClaim: Looks at each shard that is claimed.
    func withWorkers(
        _ count: Int, onClaim: @escaping @Sendable (ClaimedShard) -> Void = { _ in },
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let (begun, beginning) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        try await self.work(onClaim) { beginning.yield() }
                    } catch {
                        // Nobody waits for one that is gone.
                        self.isOver.store(true, ordering: .relaxed)
                        beginning.finish()
                        throw error
                    }
                }
            }
            group.addTask {
                defer { self.isOver.store(true, ordering: .relaxed) }
                var waiting = count
                for await _ in begun {
                    waiting -= 1
                    if waiting == 0 { break }
                }
                if waiting == 0 { try await body() }
            }
            try await group.waitForAll()
        }
    }

    private func work(
        _ onClaim: @Sendable (ClaimedShard) -> Void, onBeginning: @Sendable () -> Void
    ) async throws {
        let lease = try await self.queue.register(Self.description)
        var renewed = ContinuousClock.now
        var calls = 0
        while !self.isOver.load(ordering: .relaxed) {
            let claimed = try await timed("claim") { try await self.queue.claim(lease, limit: 1) }
            calls += 1
            if calls == 1 { onBeginning() }
            // Often enough that there are some in every test, and in time whatever happens.
            if calls % 20 == 1 || ContinuousClock.now - renewed > lease.heartbeatInterval {
                renewed = .now
                let reply = try await timed("heartbeat") {
                    try await self.leaseQueue.heartbeat(lease, holding: claimed.map { $0.progress() })
                }
                #expect(reply.lost.isEmpty && reply.cancelled.isEmpty && reply.orphaned.isEmpty, "\(reply)")
            }
            guard !claimed.isEmpty else { continue }
            claimed.forEach(onClaim)
            self.state.withLock { state in
                for shard in claimed { state.sent[shard.run, default: 0] += 1 }
            }
            let results = claimed.map { ShardCommit($0, HistoryWorker.publication($0)) }
            let outcomes = try await timed("commit") { try await self.queue.commit(results) }
            self.state.withLock { state in
                for (shard, outcome) in zip(claimed, outcomes) {
                    if outcome != .committed {
                        state.refused += 1
                    } else if !state.accepted[shard.run, default: []].insert(shard.key).inserted {
                        state.doubled += 1
                    }
                }
            }
        }
        try await timed("deregister") { try await self.queue.deregister(lease) }
    }

    // MARK: Chores

    /// What a chore may do at a time.
    private static let slices: [Chore: Int] = [
        .tallies: 1_000, .charges: 10_000, .cancellations: 10_000, .promotion: 10_000, .archive: 5_000,
    ]

    /// Does every chore once, and answers how much each of them changed.
    @discardableResult
    func doChores() async throws -> [Chore: Int] {
        var changes: [Chore: Int] = [:]
        for chore in Chore.allCases {
            let outcome = try await timed("chore \(chore.rawValue)") { try await self.queue.run(chore, isForced: true) }
            let changed = try #require(outcome).changed
            if let slice = Self.slices[chore] { #expect(changed <= slice, "\(chore)") }
            changes[chore] = changed
        }
        // It would say that a job had been left that nobody claims.
        #expect(changes[.mending] == 0)
        return changes
    }

    /// Does the chores again and again, until it is so.
    func doChores(until isSo: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Scale.patience
        while try await !isSo() {
            // One that has failed says why itself.
            guard !self.isOver.load(ordering: .relaxed) else { return }
            try #require(ContinuousClock.now < deadline, "no end after \(Scale.patience): slowest \(self.summary)")
            try await doChores()
        }
    }

    /// Does the chores until none of them finds anything left, and compares the counts with what is there.
    func settle() async throws {
        for round in 0... {
            let left = try await doChores().filter { $0.key != .statistics && $0.value > 0 }
            if left.isEmpty { break }
            try #require(round < 1_000, "there is always something left: \(left)")
        }
        #expect(try await count("tally_change") == 0)
        #expect(try await count("usage_queue") == 0)
        let wrong = try await count(
            """
            job_tally t JOIN (
                SELECT s.job_id, count(*) FILTER (WHERE s.state = 'blocked') AS blocked,
                    count(*) FILTER (WHERE s.state = 'ready') AS ready,
                    count(*) FILTER (WHERE s.state = 'running') AS running,
                    count(*) FILTER (WHERE s.state = 'done') AS done,
                    count(*) FILTER (WHERE s.state = 'failed') AS failed
                FROM every_shard s GROUP BY s.job_id) n USING (job_id)
            WHERE (t.blocked, t.ready, t.running, t.done, t.failed, t.cancelled, t.held)
                <> (n.blocked, n.ready, n.running, n.done, n.failed, 0, 0)
            """)
        #expect(wrong == 0, "jobs whose counts are wrong")
    }

    /// Has a slice of the archive wait, when it has moved results already, until its session's limit ends it.
    func cutOffSlice(of run: RunID) async throws {
        let stranger = try await self.database.connect()
        // The first that is left of each job: one of these is in the slice.
        try await stranger.execute(
            script: """
                BEGIN;
                SELECT 1 FROM shard s WHERE (s.job_id, s.shard_no) IN (
                    SELECT l.job_id, min(l.shard_no) FROM shard l JOIN job j USING (job_id) WHERE j.run_id = '\(run)'
                    GROUP BY l.job_id)
                FOR UPDATE;
                """)
        let impatient = Self.pool(self.database, limit: .seconds(1), cancel: .seconds(5), size: 1)
        let error = await #expect(throws: QueueError.self) {
            try await PostgresJobQueue(impatient).run(.archive, isForced: true)
        }
        #expect(error?.isTransient == true, "\(String(describing: error))")
        await impatient.shutDown()
        try await stranger.execute(script: "ROLLBACK")
        await stranger.close()
    }

    // MARK: The end

    /// Compares what is there of these runs with what the workers were told, and writes it into the certificate.
    ///
    /// - Parameter others: What was compared besides.
    func judge(
        _ runs: [RunID], after fault: String, times: Int = 1, _ others: Certificate.Outcome = Certificate.Outcome()
    ) async throws {
        var outcome = others
        for run in runs {
            let results = try await shards(of: run, in: "shard_result")
            let wrong = try await count(
                """
                shard_result r JOIN job j USING (job_id) JOIN shard s USING (job_id, shard_no)
                WHERE j.run_id = '\(run)' AND (s.state <> 'done' OR s.epoch <> r.epoch OR s.incarnation <> r.incarnation
                    OR r.samples <> s.row_count
                    OR r.digest <> format('digest of %s.%s/%s', j.run_id, j.ordinal, r.shard_no))
                """)
            outcome.lost += max(0, accepted(run) - results)
            outcome.doubled += max(0, results - accepted(run))
            outcome.wrong += wrong
            outcome.digests += results
        }
        let (doubled, refused) = self.state.withLock { ($0.doubled, $0.refused) }
        outcome.doubled += doubled
        // Every claim was its worker's, and every result the first.
        #expect(refused == 0, "results that were not accepted")
        #expect(outcome.lost == 0 && outcome.doubled == 0 && outcome.wrong == 0, "\(outcome)")
        Certificate.record([fault: times], outcome)
    }
}
