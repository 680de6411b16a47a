import FaultTesting
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// Somebody has given the database's sessions defaults of another kind, and the queue works as ever.
@Suite struct SessionDefaultTests {
    private static let defaults = [
        "default_transaction_isolation = 'serializable'", "default_transaction_read_only = on",
        "default_transaction_deferrable = on", "synchronous_commit = off", "DateStyle = 'SQL, DMY'",
        "TimeZone = 'Asia/Kathmandu'", "extra_float_digits = -15", "bytea_output = 'escape'",
        "standard_conforming_strings = off", "array_nulls = off", "transform_null_equals = on",
        "session_replication_role = 'replica'", "row_security = off", "lock_timeout = '1ms'",
        "idle_in_transaction_session_timeout = '1ms'", "exit_on_error = on", "plpgsql.extra_errors = 'all'",
        "plpgsql.variable_conflict = 'use_variable'", "check_function_bodies = off", "quote_all_identifiers = on",
        "xmloption = 'document'", "IntervalStyle = 'sql_standard'", "enable_indexscan = off",
        "default_text_search_config = 'pg_catalog.german'", "lc_numeric = 'C'", "escape_string_warning = off",
    ]

    @Test func aWholeLifeIsAsEver() async throws {
        try await withOwnDatabase { owner, name, configuration in
            for setting in Self.defaults {
                try await owner.execute(script: "ALTER DATABASE \(name) SET \(setting)")
            }
            let pool = PostgresPool(configuration, on: owner.loop, size: 3)
            try await Migrator(pool).migrate()
            let queue = PostgresJobQueue(pool)
            try await queue.submit(submission([job(shards: 3)]))
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: 3)
            #expect(claimed.map(\.index) == [0, 1, 2])
            var published = publication(of: claimed[0])
            published.seconds = 0.1 + 0.2
            #expect(try await queue.commit(claimed[0], published) == .committed)
            #expect(try await queue.commit(claimed[0], published) == .already)
            // No text of a failure is too odd to be recorded.
            let odd = "\u{0} C:\\n 题1 \u{1F600} 'x' {NULL}"
            guard case .retry = try await queue.fail(claimed[1], failure(odd)) else {
                Issue.record("the failure was not recorded")
                return
            }
            #expect(try await queue.release([claimed[2]]).count == 1)
            let seconds = PostgresStatement(name: "seconds", sql: "SELECT seconds FROM shard_result")
            #expect(try await pool.query(seconds).only().decode("seconds", as: Double.self) == published.seconds)
            let error = PostgresStatement(name: "error", sql: "SELECT error FROM attempt WHERE error LIKE '%C:%'")
            #expect(
                try await pool.query(error).only().decode("error", as: String.self)
                    == odd.filter { $0 != "\u{0}" })
            let again = try await queue.claim(lease, limit: 3)
            #expect(again.map(\.index) == [2] && again.first?.epoch == Epoch(2))
            let facts = try await queue.databaseFacts()
            #expect(facts.overridden.contains("default_transaction_isolation=serializable"))
            #expect(facts.overridden.contains("synchronous_commit=off"))
            #expect(facts.hasAutovacuum && !facts.hasFsync)
            #expect(facts.connectionLimit > 400 && facts.connections > 0)
            try await Certificate.record(
                ["setting of a session that means something else": Self.defaults.count], in: pool)
            await pool.shutDown()
        }
    }

    /// What holds old rows is found, and told apart.
    @Test func oldTransactionsAreFound() async throws {
        try await withOwnDatabase { owner, name, configuration in
            var configuration = configuration
            configuration.applicationName = name
            let pool = PostgresPool(configuration, on: owner.loop, size: 2)
            try await Migrator(pool).migrate()
            let queue = PostgresJobQueue(pool)
            let idle = try await PostgresConnection.connect(configuration, on: owner.loop)
            try await idle.withTransaction { connection in
                _ = try await connection.query(
                    PostgresStatement(name: "lock", sql: "SELECT pg_current_xact_id(), pg_sleep(0.05)"))
                let holders = try await queue.databaseFacts(patience: 0.02).holders.filter { $0.name.contains(name) }
                #expect(holders.map(\.kind) == [.session])
                #expect(holders.first?.state == "idle in transaction")
                #expect(holders.first.map { $0.seconds >= 0.05 } == true)
            }
            #expect(try await queue.databaseFacts(patience: 600).holders.allSatisfy { !$0.name.contains(name) })
            await idle.close()
            await pool.shutDown()
        }
    }
}
