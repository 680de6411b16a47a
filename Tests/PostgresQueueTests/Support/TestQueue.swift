import FaultTesting
import FoundationEssentials
import Postgres
import PostgresTesting
import Synchronization
import Testing

@testable import JobQueue
@testable import MemoryQueue
@testable import PostgresQueue

/// The implementations that the conformance suite runs on.
enum Implementation: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case postgres
    /// PostgreSQL behind a PgBouncer in transaction mode.
    case pgbouncer

    /// Those whose clock a test can set.
    static let withSetClock: [Implementation] = [.memory, .postgres]

    var testDescription: String { rawValue }
}

/// A queue with a clock that a test can turn forward.
struct TestQueue: Sendable {
    let queue: any JobQueue
    let advance: @Sendable (_ seconds: Double) async throws -> Void
    /// Makes a shard that waits after its first failure wait `fixedWait` from now, whatever was drawn.
    let fixWait: @Sendable (_ shard: ShardKey) async throws -> Void

    /// As long as the longest backoff.
    static let fixedWait: Double = 600
}

/// Runs a test with an empty queue of its own.
///
/// - Parameter jitter: In memory, the part of the longest backoff that is waited; nil to draw it.
func withQueue(
    _ implementation: Implementation, poolSize: Int = 4, jitter: Double? = nil, _ body: (TestQueue) async throws -> Void
) async throws {
    switch implementation {
    case .memory:
        let clock = ManualClock()
        let queue = InMemoryJobQueue(
            jitter: { jitter ?? .random(in: 0...1) }, now: { clock.now })
        try await body(
            TestQueue(
                queue: queue, advance: { clock.advance(by: $0) },
                fixWait: { await queue.fixWait(of: $0, to: TestQueue.fixedWait) }))
    case .postgres:
        try await withTestDatabase(poolSize: poolSize) { try await withQueue(in: $0, body) }
    case .pgbouncer:
        try await withPooledTestDatabase(poolSize: poolSize) { try await withQueue(in: $0, body) }
    }
}

private func withQueue(in database: TestDatabase, _ body: (TestQueue) async throws -> Void) async throws {
    try await Migrator(database.pool).migrate()
    let pool = database.pool
    try await body(
        TestQueue(
            queue: PostgresJobQueue(pool), advance: { try await turnForward(pool, by: $0) },
            fixWait: { try await fixWait(pool, of: $0) }))
}

extension JobQueue {
    /// Reaps until a project's last commit has been charged.
    func reapUntilCharged(to name: String = "default") async throws {
        func used() async throws -> Double? {
            try await projects().first { $0.name == name }?.usedSeconds
        }
        let before = try #require(try await used())
        for _ in 0..<5000 {
            try await reap()
            if let now = try await used(), now > before + 0.5 { return }
        }
        Issue.record("the time of project \(name) was not charged")
    }
}

/// Lets time pass for a database by moving everything that it compares with its clock into the past.
private func turnForward(_ pool: PostgresPool, by seconds: Double) async throws {
    // Rows that others are at stay as they are: waiting for them in any order could end in a deadlock.
    let statements = [
        "UPDATE queue_clock SET observed_seconds = observed_seconds + $1::float8",
        """
        UPDATE worker w SET lease_until = w.lease_until - make_interval(secs => $1::float8),
            warm_since = w.warm_since - make_interval(secs => $1::float8)
        FROM (SELECT worker_id FROM worker FOR UPDATE SKIP LOCKED) free WHERE w.worker_id = free.worker_id
        """,
        """
        UPDATE shard s SET not_before = s.not_before - make_interval(secs => $1::float8),
            avoid_until = s.avoid_until - make_interval(secs => $1::float8),
            started_at = s.started_at - make_interval(secs => $1::float8)
        FROM (SELECT job_id, shard_no FROM shard WHERE epoch > 0 FOR UPDATE SKIP LOCKED) free
        WHERE s.job_id = free.job_id AND s.shard_no = free.shard_no
        """,
        """
        UPDATE project p SET used_at = p.used_at - make_interval(secs => $1::float8)
        FROM (SELECT project_id FROM project FOR UPDATE SKIP LOCKED) free WHERE p.project_id = free.project_id
        """,
    ]
    for (number, sql) in statements.enumerated() {
        _ = try await pool.query(PostgresStatement(name: "turn_forward_\(number)", sql: sql), [seconds])
    }
}

private func fixWait(_ pool: PostgresPool, of shard: ShardKey) async throws {
    let sql =
        "UPDATE shard SET not_before = clock_timestamp() + make_interval(secs => $3::float8), "
        + "avoid_until = CASE WHEN avoid_worker IS NOT NULL THEN clock_timestamp() + make_interval(secs => $3::float8 + 30) END "
        + "WHERE job_id = $1::int8 AND shard_no = $2::int4 AND state = 'blocked'"
    _ = try await pool.query(
        PostgresStatement(name: "fix_wait", sql: sql), [shard.job.number, shard.index, TestQueue.fixedWait])
}

/// A queue in a database of its own, for tests that look into the tables or change them.
func withPostgresQueue(_ body: (TestDatabase, PostgresJobQueue) async throws -> Void) async throws {
    try await withTestDatabase { database in
        try await Migrator(database.pool).migrate()
        try await body(database, PostgresJobQueue(database.pool))
    }
}

extension Certificate {
    /// Counts faults that a queue was put to, and what of its results is not as it says.
    static func record(_ faults: [String: Int], in pool: PostgresPool) async throws {
        let statement = PostgresStatement(
            name: "outcome",
            sql: """
                SELECT count(*) FILTER (WHERE s.state = 'done' AND r.shard_no IS NULL)::int AS lost,
                    count(*) FILTER (WHERE s.state <> 'done' AND r.shard_no IS NOT NULL
                        OR r.epoch <> s.epoch OR r.incarnation <> s.incarnation)::int AS wrong,
                    (count(r.shard_no) - count(DISTINCT (r.job_id, r.shard_no)) FILTER (WHERE r.shard_no IS NOT NULL))::int
                        AS doubled
                FROM every_shard s LEFT JOIN every_result r USING (job_id, shard_no)
                """)
        let row = try await pool.query(statement).only()
        let outcome = Outcome(
            lost: try row.decode("lost"), doubled: try row.decode("doubled"), wrong: try row.decode("wrong"))
        #expect((outcome.lost, outcome.doubled, outcome.wrong) == (0, 0, 0))
        self.record(faults, outcome)
    }
}
