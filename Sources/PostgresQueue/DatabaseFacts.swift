public import JobQueue
import Postgres
import SQL

/// What a server is, as far as it has a bearing on the queue; for `assay doctor`.
public struct DatabaseFacts: Sendable, Hashable {
    /// Something that keeps dead rows in place, or locks.
    public struct Holder: Sendable, Hashable {
        public enum Kind: String, Sendable {
            case session, prepared, slot, standby
        }

        public var kind: Kind
        /// For example "process 4711 (ann, psql)".
        public var name: String
        /// A session's ("idle in transaction") or a slot's ("inactive").
        public var state: String
        /// How long it has been open; 0 where that is not known.
        public var seconds: Double
        /// The number of transactions since.
        public var transactions: Int
    }

    public var version: String
    public var isStandby: Bool
    /// How many connections there may be, by the tightest of the limits that hold here, and how many there are.
    public var connectionLimit: Int
    public var connections: Int
    /// What makes a commit last.
    public var hasFsync: Bool
    public var hasFullPageWrites: Bool
    /// What clears up behind the queue.
    public var hasAutovacuum: Bool
    public var hasStatistics: Bool
    /// Settings of server, database or role that sessions make otherwise for themselves: "name=value".
    public var overridden: [String]
    /// Tables with more dead rows than live ones.
    public var bloated: [String]
    /// False when other users' sessions are hidden from the present role.
    public var seesAllSessions: Bool
    public var holders: [Holder]
}

extension PostgresJobQueue {
    /// - Parameter patience: How old a transaction may be before it counts as a holder, in seconds.
    public func databaseFacts(patience: Double = 300) async throws(QueueError) -> DatabaseFacts {
        let holders = try await query(.snapshotHolders, [patience], to: "look for old transactions") {
            rows throws(PostgresError) in
            var holders: [DatabaseFacts.Holder] = []
            for row in rows {
                holders.append(
                    DatabaseFacts.Holder(
                        kind: try row.name("kind"), name: try row.decode("name"), state: try row.decode("state"),
                        seconds: try row.decode("seconds"), transactions: try row.decode("transactions")))
            }
            return holders
        }
        return try await query(.databaseFacts, to: "look at the server") { rows throws(PostgresError) in
            var facts = try DatabaseFacts(try rows.only())
            facts.holders = holders
            return facts
        }
    }
}

extension DatabaseFacts {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        // The server counts all connections; a database or role only its own, which are at most those.
        let limits = [
            try row.decode("connection_limit", as: Int.self), try row.decode("database_limit", as: Int.self),
            try row.decode("role_limit", as: Int.self),
        ]
        let limit = limits.filter { $0 >= 0 }.min() ?? 0
        self.init(
            version: try row.decode("version"), isStandby: try row.decode("is_standby"), connectionLimit: limit,
            connections: try row.decode(limit == limits[0] ? "connections" : "connections_here"),
            hasFsync: try row.decode("fsync"), hasFullPageWrites: try row.decode("full_page_writes"),
            hasAutovacuum: try row.decode("autovacuum"), hasStatistics: try row.decode("track_counts"),
            overridden: try row.decode("overridden"), bloated: try row.decode("bloated"),
            seesAllSessions: try row.decode("sees_all"), holders: [])
    }
}
