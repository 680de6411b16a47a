import Calendar
import FoundationEssentials
import JobQueue
import MemoryQueue
import Postgres
import PostgresQueue
import PostgresTesting

/// A queue whose clock shows what a test says.
struct ScheduleQueue: Sendable {
    let queue: any JobQueue
    let setTime: @Sendable (_ time: Date) async throws -> Void

    /// Turns the clock to a time in UTC.
    func turn(to time: String) async throws {
        try await setTime(utc(time))
    }
}

/// "2026-03-29 02:30" in UTC.
func utc(_ text: String) throws -> Date {
    try ZoneRules.utc.date(text)
}

/// Runs a test with an empty queue of its own, at a time in UTC.
func withScheduleQueue(
    _ implementation: Implementation, at start: String, poolSize: Int = 4,
    _ body: (ScheduleQueue) async throws -> Void
) async throws {
    switch implementation {
    case .memory:
        let clock = ManualClock()
        let test = ScheduleQueue(
            queue: InMemoryJobQueue(now: { clock.now }), setTime: { clock.advance(by: $0.timeIntervalSince(clock.now)) }
        )
        try await test.turn(to: start)
        try await body(test)
    case .postgres, .pgbouncer:
        try await withSetClock(at: start, poolSize: poolSize) { pool, setTime in
            try await body(ScheduleQueue(queue: PostgresJobQueue(pool), setTime: setTime))
        }
    }
}

/// Runs a test with a migrated database whose `clock_timestamp()` answers what the test says.
func withSetClock(
    at start: String, poolSize: Int = 4,
    _ body: (PostgresPool, @escaping @Sendable (Date) async throws -> Void) async throws -> Void
) async throws {
    try await withTestDatabase { database in
        // The schema's own function hides the server's, once the server's schema stands behind it.
        var configuration = database.configuration
        configuration.searchPath = [database.schema, "pg_catalog"]
        let pool = PostgresPool(configuration, on: database.loop, size: poolSize)
        let setTime: @Sendable (Date) async throws -> Void = { time in
            let statement = PostgresStatement(
                name: "set_clock", sql: "UPDATE test_clock SET shows = $1::timestamptz")
            _ = try await pool.query(statement, [PostgresTimestamp(time)])
        }
        do {
            try await pool.withConnection { connection in
                try await connection.execute(script: clockScript, name: "make_clock")
            }
            try await setTime(utc(start))
            try await Migrator(pool).migrate()
            try await pool.withConnection { try await $0.execute(script: hideServersClock, name: "hide_clock") }
            try await body(pool, setTime)
        } catch {
            await pool.shutDown()
            throw error
        }
        await pool.shutDown()
    }
}

/// Functions that run with their owner's rights see the schema's own clock too.
private let hideServersClock = """
    DO $$
    DECLARE
        v_function record;
    BEGIN
        FOR v_function IN
            SELECT p.oid::regprocedure AS name FROM pg_proc p
            WHERE p.pronamespace = current_schema()::regnamespace AND p.prosecdef
        LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_catalog, pg_temp', v_function.name, current_schema());
        END LOOP;
    END $$;
    """

private let clockScript = """
    CREATE TABLE test_clock (shows timestamptz);
    INSERT INTO test_clock VALUES (now());
    CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT shows FROM test_clock';
    """
