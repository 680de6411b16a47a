import FoundationEssentials
import JobQueue
import Postgres
import PostgresTesting
import Synchronization
import Testing

/// The implementations that the conformance suite runs on.
enum Implementation: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case postgres

    var testDescription: String { rawValue }
}

/// A queue with a clock that a test can turn forward.
struct TestQueue: Sendable {
    let queue: any JobQueue
    let advance: @Sendable (_ seconds: Double) async throws -> Void
}

/// Runs a test with an empty queue of its own.
func withQueue(
    _ implementation: Implementation, poolSize: Int = 4, _ body: (TestQueue) async throws -> Void
) async throws {
    switch implementation {
    case .memory:
        let clock = ManualClock()
        let queue = InMemoryJobQueue(now: { clock.now })
        try await body(TestQueue(queue: queue, advance: { clock.advance(by: $0) }))
    case .postgres:
        try await withTestDatabase(poolSize: poolSize) { database in
            try await Migrator(database.pool).migrate()
            let pool = database.pool
            let queue = PostgresJobQueue(pool)
            try await body(TestQueue(queue: queue, advance: { try await turnForward(pool, by: $0) }))
        }
    }
}

/// Lets time pass for a database by moving everything that it compares with its clock into the past.
private func turnForward(_ pool: PostgresPool, by seconds: Double) async throws {
    let statements = [
        "UPDATE worker SET lease_until = lease_until - make_interval(secs => $1::float8), "
            + "warm_since = warm_since - make_interval(secs => $1::float8)",
        "UPDATE shard SET not_before = not_before - make_interval(secs => $1::float8), "
            + "started_at = started_at - make_interval(secs => $1::float8) WHERE epoch > 0",
        "UPDATE project SET used_at = used_at - make_interval(secs => $1::float8)",
    ]
    for (number, sql) in statements.enumerated() {
        _ = try await pool.query(PostgresStatement(name: "turn_forward_\(number)", sql: sql), [seconds])
    }
}

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var now: Date { time.withLock { $0 } }

    func advance(by seconds: Double) {
        time.withLock { $0 += seconds }
    }
}
