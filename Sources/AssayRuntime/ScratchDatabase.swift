internal import JobQueue
public import Logging
internal import Postgres
public import PostgresQueue
internal import UVEventLoop

extension Session {
    /// Runs `body` with an empty queue in a schema of its own on the configured server, which is dropped afterwards.
    ///
    /// - Parameter connections: How many calls may be under way at once.
    public static func withScratchQueue<Value: Sendable>(
        _ settings: Settings, logger: Logger, connections: Int,
        _ body: (ScratchQueue) async throws -> Value
    ) async throws -> Value {
        try await EmbeddedDatabase.withLoop { loop in
            var configuration = try EmbeddedDatabase.configuration(settings)
            let schema = "bench_\(String(UInt64.random(in: .min ... .max), radix: 16))"
            let owner = try await PostgresConnection.connect(configuration, on: loop)
            try await owner.execute(script: "CREATE SCHEMA \(schema)", name: "create_schema")
            configuration.searchPath = [schema]
            let pool = PostgresPool(configuration, on: loop, size: connections, logger: logger)
            let result: Result<Value, any Error>
            do {
                _ = try await Migrator(pool).migrate()
                result = .success(try await body(ScratchQueue(queue: PostgresJobQueue(pool), pool: pool)))
            } catch {
                result = .failure(error)
            }
            await pool.shutDown()
            try await owner.execute(script: "DROP SCHEMA \(schema) CASCADE", name: "drop_schema")
            await owner.close()
            return try result.get()
        }
    }
}

/// A queue to be measured, and the server's own view of it.
public struct ScratchQueue: Sendable {
    public let queue: PostgresJobQueue
    let pool: PostgresPool

    /// What autovacuum would have done after a while: statistics for the planner, and a clean start.
    public func settle() async throws {
        try await self.execute("VACUUM (ANALYZE)")
    }

    /// Vacuums the tables that autovacuum would when it looked now, by the dead rows and by the tables' own settings.
    public func vacuumWhatAutovacuumWould() async throws {
        let statement = PostgresStatement(
            name: "bench_due_for_vacuum",
            sql: """
                SELECT format('VACUUM (ANALYZE) %I', c.relname) AS sql
                FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
                CROSS JOIN LATERAL (
                    SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS threshold,
                        max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS scale
                    FROM pg_options_to_table(c.reloptions)) o
                WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND s.n_dead_tup >
                    coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold'))::float8
                    + coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor'))::float8
                    * greatest(c.reltuples, 0)
                """)
        for row in try await self.pool.query(statement) {
            try await self.execute(try row.decode("sql"))
        }
    }

    /// Bytes of all tables and indexes of the queue, and of the largest of them by name.
    public func sizes() async throws -> [String: Int64] {
        let statement = PostgresStatement(
            name: "bench_sizes",
            sql: """
                SELECT relname::text AS name, pg_total_relation_size(oid) AS bytes FROM pg_class
                WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
                """)
        var sizes: [String: Int64] = [:]
        for row in try await self.pool.query(statement) {
            sizes[try row.decode("name", as: String.self)] = try row.decode("bytes", as: Int64.self)
        }
        return sizes
    }

    /// The server's settings that decide what a commit costs.
    public func durability() async throws -> String {
        let statement = PostgresStatement(
            name: "bench_durability",
            sql: """
                SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) AS text FROM pg_settings
                WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'server_version')
                """)
        return try await self.pool.query(statement).only().decode("text")
    }

    /// Lets simulated time pass: everything that the database compares with its clock moves into the past.
    public func execute(_ sql: String) async throws {
        try await self.pool.withConnection { try await $0.execute(script: sql, name: "bench") }
    }
}
