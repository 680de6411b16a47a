import Postgres
import PostgresTesting
import Testing

@Suite struct SessionTests {
    /// What somebody may have set for reasons of their own, and what a session must have all the same.
    static let hostile = [
        ("default_transaction_isolation", "serializable", "read committed"),
        ("default_transaction_read_only", "on", "off"), ("default_transaction_deferrable", "on", "off"),
        ("synchronous_commit", "off", "on"), ("client_encoding", "LATIN1", "UTF8"),
        ("DateStyle", "German, DMY", "ISO, YMD"), ("IntervalStyle", "iso_8601", "postgres"),
        ("TimeZone", "Asia/Kathmandu", "UTC"), ("timezone_abbreviations", "India", "Default"),
        ("extra_float_digits", "-15", "1"), ("bytea_output", "escape", "hex"),
        ("standard_conforming_strings", "off", "on"), ("array_nulls", "off", "on"),
        ("transform_null_equals", "on", "off"), ("quote_all_identifiers", "on", "off"), ("row_security", "off", "on"),
        ("session_replication_role", "replica", "origin"), ("exit_on_error", "on", "off"),
        ("check_function_bodies", "off", "on"), ("lock_timeout", "1ms", "0"),
        ("idle_in_transaction_session_timeout", "1ms", "5min"), ("idle_session_timeout", "1s", "0"),
        ("statement_timeout", "2s", "0"),
    ]

    /// Values that each of the settings would write or read in another way.
    private static let values = PostgresStatement(
        name: "values",
        sql: """
            SELECT '2026-03-04 05:06:07.000008+00'::timestamptz AS time, 0.1::float8 + 0.2 AS number,
                '\\x00ff'::bytea AS bytes, '1 day 2 hours'::interval::text AS span, 'a\\b' AS text,
                ARRAY[NULL, 'x']::text[] = '{NULL,x}' AS has_null, (NULL::int = NULL) IS NULL AS is_unknown,
                current_setting('transaction_isolation') AS isolation
            """)

    private static func expectUsual(_ connection: PostgresConnection) async throws {
        let row = try await connection.query(Self.values).only()
        #expect(try row.decode("time", as: PostgresTimestamp.self).description == "2026-03-04 05:06:07.000008+00")
        #expect(try row.decode("number", as: Double.self) == 0.1 + 0.2)
        #expect(try row.decode("bytes", as: [UInt8].self) == [0, 255])
        #expect(try row.decode("span", as: String.self) == "1 day 02:00:00")
        #expect(try row.decode("text", as: String.self) == "a\\b")
        #expect(try row.decode("has_null", as: Bool.self))
        #expect(try row.decode("is_unknown", as: Bool.self))
        #expect(try row.decode("isolation", as: String.self) == "read committed")
    }

    @Test(arguments: [true, false])
    func noDefaultOfRoleOrDatabaseReachesASession(ofRole: Bool) async throws {
        try await withOwnDatabase { owner, name, configuration in
            let place =
                ofRole ? "ROLE assay IN DATABASE \(name)" : "DATABASE \(name)"
            for (name, value, _) in Self.hostile {
                try await owner.execute(script: "ALTER \(place) SET \(name) = '\(value)'")
            }
            let connection = try await PostgresConnection.connect(configuration, on: owner.loop)
            for (name, _, value) in Self.hostile {
                let found = try await connection.query(
                    PostgresStatement(name: "show", sql: "SELECT current_setting($1) AS value"), [name])
                #expect(try found.only().decode("value", as: String.self) == value, "\(name)")
            }
            try await Self.expectUsual(connection)
            try await connection.execute(script: "CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
            await connection.close()
        }
    }

    /// What promises more than is needed stays as somebody wanted it.
    @Test(arguments: ["remote_apply", "remote_write", "local"])
    func otherPromisesOfACommitStay(value: String) async throws {
        try await withOwnDatabase { owner, name, configuration in
            try await owner.execute(
                script: "ALTER DATABASE \(name) SET synchronous_commit = '\(value)'")
            let connection = try await PostgresConnection.connect(configuration, on: owner.loop)
            let show = PostgresStatement(name: "show", sql: "SELECT current_setting('synchronous_commit') AS value")
            #expect(try await connection.query(show).only().decode("value", as: String.self) == value)
            await connection.close()
        }
    }

    /// A schema that is found through the role's path is pinned: later ones, temporary tables and functions of the same
    /// names don't come before it.
    @Test func theSearchPathIsPinned() async throws {
        try await withOwnDatabase { owner, name, configuration in
            let plain = try await PostgresConnection.connect(configuration, on: owner.loop)
            try await plain.execute(
                script: """
                    CREATE SCHEMA queue; CREATE SCHEMA evil; CREATE TABLE queue.t AS SELECT 'right' AS word;
                    CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT ''evil''';
                    CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''evil''';
                    ALTER DATABASE \(name) SET search_path = queue, "$user", evil, pg_catalog
                    """)
            await plain.close()
            let connection = try await PostgresConnection.connect(configuration, on: owner.loop)
            try await connection.execute(
                script: "CREATE TEMP TABLE t AS SELECT 'wrong' AS word; CREATE SCHEMA assay CREATE TABLE t (word text)")
            let look = PostgresStatement(
                name: "look", sql: "SELECT word, lower('X') AS x, current_setting('search_path') AS path FROM t")
            let row = try await connection.query(look).only()
            #expect(try row.decode("word", as: String.self) == "right")
            #expect(try row.decode("x", as: String.self) == "x")
            #expect(try row.decode("path", as: String.self) == "queue, evil, pg_temp")
            await connection.close()
            try await owner.execute(script: "ALTER DATABASE \(name) SET search_path = nowhere")
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(configuration, on: owner.loop)
            }
            #expect(error?.code == .usage)
            #expect(error?.hint?.contains("SET search_path") == true)
        }
    }

    /// Only a superuser may unmake it.
    @Test func aSettingThatCannotBeMadeIsNamed() async throws {
        try await withOwnDatabase { owner, name, configuration in
            let role = "\(name)_role"
            try await owner.execute(
                script: """
                    CREATE ROLE \(role); ALTER DATABASE \(name) SET role = '\(role)';
                    ALTER DATABASE \(name) SET session_replication_role = 'replica'
                    """)
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(configuration, on: owner.loop)
            }
            try await owner.execute(
                script: "ALTER DATABASE \(name) RESET ALL; DROP ROLE \(role)")
            #expect(error?.code == .usage)
            #expect(error?.message.contains("session_replication_role") == true)
            #expect(error?.hint?.contains("RESET") == true)
        }
    }

    @Test(arguments: ["LATIN1", "SQL_ASCII"])
    func anotherEncodingIsRefused(encoding: String) async throws {
        let options = "TEMPLATE template0 ENCODING '\(encoding)' LC_COLLATE 'C' LC_CTYPE 'C'"
        try await withOwnDatabase(options: options) { owner, name, configuration in
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(configuration, on: owner.loop)
            }
            #expect(error?.code == .usage)
            #expect(error?.message.contains(encoding) == true)
            #expect(error?.hint?.contains("ENCODING 'UTF8'") == true)
        }
    }

    /// No session, no settings: what could change results is refused, with the statement that mends it.
    @Test func behindAPoolerWrongDefaultsAreRefused() async throws {
        try await withTestDatabase { direct in
            try await withPooledTestDatabase { pooled in
                let name = pooled.configuration.applicationName
                try await direct.pool.withConnection { owner in
                    try await owner.execute(
                        script: """
                            ALTER DATABASE \(name) SET default_transaction_isolation = 'repeatable read';
                            ALTER DATABASE \(name) SET extra_float_digits = 0;
                            ALTER DATABASE \(name) SET TimeZone = 'Asia/Kathmandu';
                            ALTER DATABASE \(name) SET statement_timeout = '100s'
                            """)
                    let error = await #expect(throws: PostgresError.self) { try await pooled.connect() }
                    let message = error?.message ?? ""
                    #expect(error?.code == .usage)
                    #expect(message.contains("default_transaction_isolation is 'repeatable read'"), "\(message)")
                    #expect(message.contains("extra_float_digits is '0'"), "\(message)")
                    #expect(!message.contains("TimeZone") && !message.contains("timeout"), "\(message)")
                    // The statements are right as they stand; a pooler connects again by and by.
                    let mending = try #require(error?.hint?.split(separator: "; then let").first)
                    try await owner.execute(script: String(mending))
                    let others = PostgresStatement(
                        name: "others",
                        sql: "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1")
                    _ = try await owner.query(others, [name])
                }
                let connection = try await pooled.connect()
                #expect(await !connection.keepsSession)
                try await Self.expectUsual(connection)
                await connection.close()
            }
        }
    }

    @Test func aServerThatIsSilentDoesNotKeepTheNextOneFromBeingTried() async throws {
        try await withTestDatabase { database in
            let silent = try SilentListener(port: 5432)
            let text = database.configuration.connectionString
            let host = try #require(text.firstMatch(of: #/host='([^']*)'/#)?.1)
            var configuration = try PostgresConfiguration(
                text.replacing("host='\(host)'", with: "host='/tmp/nobody-here,\(silent.folder),\(host)'")
                    .replacing(#/ requirepeer='[^']*'/#, with: ""))
            // A third for each host: what the silent one takes, and what a busy machine needs for the last.
            configuration.connectTimeout = .seconds(15)
            let connection = try await PostgresConnection.connect(configuration, on: database.loop)
            #expect(await connection.isUsable)
            await connection.close()
            var away = try PostgresConfiguration("host='/tmp/nobody-here,\(silent.folder)' dbname=x user=assay")
            away.connectTimeout = .milliseconds(200)
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(away, on: database.loop)
            }
            #expect(error?.message.contains("/tmp/nobody-here/.s.PGSQL") == true)
            #expect(error?.code == .timedOut)
        }
    }
}
