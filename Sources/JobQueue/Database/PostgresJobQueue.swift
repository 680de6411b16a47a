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
        var attempt = 1
        while true {
            do {
                return try read(try await pool.query(PostgresStatement(query), parameters))
            } catch  where error.isSerializationFailure && attempt < Self.attempts {
                // The server rolled all of it back, in favour of somebody else who is done by now.
                attempt += 1
            } catch {
                throw QueueError(error, task: task)
            }
        }
    }

    /// How often a statement is tried that the server rolls back because of others.
    private static let attempts = 5
}

extension PostgresStatement {
    init(_ query: Query) {
        self.init(name: query.name, sql: query.sql)
    }
}

extension PostgresJobQueue {
    /// What the role of this queue's connections may do.
    ///
    /// - Throws: `forbidden` when it was granted nothing at all.
    public func rights() async throws(QueueError) -> RoleRights {
        try await query(.listAbilities, to: "find out what this role may do") { rows throws(PostgresError) in
            var rights = RoleRights(role: try rows.first?.decode("role") ?? "")
            for row in rows where try row.decode("has", as: Bool.self) {
                let name = try row.decode("ability", as: String.self)
                if name == "owner" { rights.isOwner = true }
                if let ability = Ability(rawValue: name) { rights.abilities.insert(ability) }
            }
            return rights
        }
    }
}
