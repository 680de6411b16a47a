import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// What the database itself refuses of schedules, no matter who asks.
@Suite struct ScheduleInvariantTests {
    private static let copy =
        "INSERT INTO schedule_fire (schedule_id, due_at, attempt, kind, outcome, reason, run_id) SELECT schedule_id, "
    private static let forbidden = [
        // History stays as it was written.
        "UPDATE schedule_fire SET reason = 'other'", "DELETE FROM schedule_fire", "DELETE FROM schedule",
        // One due time, one run.
        "\(copy) due_at, 2, 'backfill', 'fired', NULL, '00000000' FROM schedule_fire",
        "\(copy) due_at, 2, 'clock', 'skipped', 'x', NULL FROM schedule_fire",
        "\(copy) due_at + interval '1 h', 1, 'clock', 'fired', NULL, run_id FROM schedule_fire",
        // Records that make no sense.
        "\(copy) due_at, 2, 'backfill', 'skipped', NULL, NULL FROM schedule_fire",
        "\(copy) due_at, 2, 'backfill', 'skipped', 'x', '00000000' FROM schedule_fire",
        "\(copy) due_at + interval '1 h', 1, 'clock', 'fired', NULL, NULL FROM schedule_fire",
        "\(copy) due_at, 0, 'backfill', 'skipped', 'x', NULL FROM schedule_fire",
        "UPDATE schedule SET look_at = next_at - interval '1 s'", "UPDATE schedule SET waiting_at = now()",
        "UPDATE schedule SET paused_at = now()", "UPDATE schedule SET pause_reason = 'x'",
        "UPDATE schedule SET overlap = 'all'", "UPDATE schedule SET jitter_seconds = -1",
        "INSERT INTO schedule (name, cron, time_zone, overlap, catch_up_seconds, jitter_seconds, project, user_name, "
            + "template, look_at) SELECT name, cron, time_zone, overlap, 0, 0, project, user_name, template, look_at "
            + "FROM schedule",
    ]

    @Test func nonsenseIsRefused() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            try await queue.addSchedule(schedule())
            _ = try await queue.triggerSchedule(named: "nightly", overlap: nil, asPlanned)
            let byClock = PostgresStatement(
                name: "by_clock", sql: Self.copy + "now(), 1, 'clock', 'fired', NULL, 'aaaaaaaa' FROM schedule")
            _ = try await database.pool.query(byClock)
            for (number, sql) in Self.forbidden.enumerated() {
                let error = await #expect(throws: PostgresError.self, "\(sql)") {
                    _ = try await database.pool.query(PostgresStatement(name: "forbidden_\(number)", sql: sql))
                }
                #expect(error?.sqlState?.hasPrefix("23") == true, "\(sql): \(error?.description ?? "")")
            }
        }
    }

    /// Looking for what is due reads an index, however many schedules there are.
    @Test func lookingIsCheap() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let connection = try await database.connect()
            try await connection.execute(
                script: """
                    INSERT INTO schedule (name, cron, time_zone, overlap, catch_up_seconds, jitter_seconds, project,
                        user_name, template, next_at, look_at)
                    SELECT 's' || n, '* * * * *', 'UTC', 'skip', 0, 0, 'p', 'u', '{}', now() + interval '1 h',
                        now() + interval '1 h' FROM generate_series(1, 5000) n;
                    ANALYZE schedule;
                    """, name: "many")
            let plan = try await connection.query(
                PostgresStatement(
                    name: "plan",
                    sql: "EXPLAIN SELECT schedule_id FROM schedule WHERE removed_at IS NULL "
                        + "AND look_at <= (SELECT clock_timestamp()) ORDER BY look_at, schedule_id LIMIT 100"))
            var text = ""
            for row in plan { text += try row.decode(at: 0, as: String.self) + "\n" }
            #expect(text.contains("Index Scan using schedule_look"), "\(text)")
            await connection.close()
        }
    }
}
