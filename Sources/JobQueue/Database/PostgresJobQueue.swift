public import Postgres
import SQL

/// The queue in a PostgreSQL database.
///
/// A worker's heartbeat needs a queue of its own, over a pool and a loop of its own, so that nothing delays it.
public struct PostgresJobQueue: JobQueue {
    let pool: PostgresPool
    let pollInterval: ClosedRange<Double>

    /// A queue in the schema that the pool's connections work in; ``Migrator`` makes it.
    ///
    /// - Parameter pollInterval: The seconds between two wake-ups of `submissions()` that need no notification; each
    ///   one is drawn from this range, so that many workers do not come at once.
    public init(_ pool: PostgresPool, pollInterval: ClosedRange<Double> = 1...5) {
        self.pool = pool
        self.pollInterval = pollInterval
    }

    /// Runs one statement and reads its rows.
    ///
    /// - Parameter task: What is being done, for the error: "claim shards".
    func query<Value>(
        _ query: Query, _ parameters: [(any PostgresEncodable)?] = [], to task: String,
        read: (PostgresRows) throws(PostgresError) -> Value
    ) async throws(QueueError) -> Value {
        do {
            return try read(try await pool.query(PostgresStatement(query), parameters))
        } catch {
            throw QueueError(error, task: task)
        }
    }
}

extension PostgresStatement {
    init(_ query: Query) {
        self.init(name: query.name, sql: query.sql)
    }
}
