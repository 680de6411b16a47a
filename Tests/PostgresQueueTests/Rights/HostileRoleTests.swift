import FaultTesting
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// A database user that wants to do what it was not granted: everything is refused, and no row has changed.
@Suite struct HostileRoleTests {
    /// What is refused to everybody but the owner.
    private static func againstTables(_ tables: [String], columns: [String: String], schema: String) -> [String] {
        tables.flatMap { table in
            let column = columns[table] ?? "ctid"
            return [
                "DELETE FROM \(table)", "UPDATE \(table) SET \(column) = \(column)",
                "INSERT INTO \(table) OVERRIDING SYSTEM VALUE SELECT * FROM \(table)", "TRUNCATE \(table) CASCADE",
                "ALTER TABLE \(table) ADD COLUMN hostile integer", "DROP TABLE \(table) CASCADE",
                "ALTER TABLE \(table) DISABLE TRIGGER ALL", "ALTER TABLE \(table) OWNER TO CURRENT_USER",
                "CREATE INDEX ON \(table) (\(column))", "BEGIN; LOCK TABLE \(table) IN ROW EXCLUSIVE MODE; COMMIT",
                "SELECT * FROM \(table) FOR UPDATE", "COPY \(table) FROM STDIN",
                "CREATE RULE hostile AS ON INSERT TO \(table) DO INSTEAD NOTHING",
                "CREATE TRIGGER hostile BEFORE INSERT ON \(table) EXECUTE FUNCTION refuse_update()",
                "GRANT ALL ON \(table) TO CURRENT_USER WITH GRANT OPTION; DELETE FROM \(table)",
            ]
        } + [
            """
            WITH gone AS (DELETE FROM shard_result RETURNING *)
            INSERT INTO shard_result SELECT job_id, shard_no, epoch, samples, incarnation, worker_id, bytes, tokens, seconds,
                started_at, committed_at, sha256, 'runs/forged.h5', 'forged' FROM gone
            """,
            "CREATE TABLE \(schema).hostile (a integer)", "CREATE VIEW \(schema).hostile AS SELECT 1",
            "CREATE FUNCTION \(schema).hostile() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "CREATE OR REPLACE FUNCTION \(schema).role_may(p_role name, p_ability text) RETURNS boolean LANGUAGE sql "
                + "AS 'SELECT true'",
            "ALTER FUNCTION check_run(text) SECURITY INVOKER", "DROP FUNCTION check_run(text)",
            "ALTER SCHEMA \(schema) RENAME TO hostile", "DROP SCHEMA \(schema) CASCADE",
            "SET ROLE \(schema)_owner", "SET SESSION AUTHORIZATION \(schema)_owner",
            "SET session_replication_role = replica", "SELECT setval(pg_get_serial_sequence('job', 'job_id'), 1)",
            "SELECT nextval(pg_get_serial_sequence('job', 'job_id'))",
        ]
    }

    /// Calls of every function that the role may not call, with nothing as arguments.
    private func forbiddenCalls(_ rights: RightsDatabase, role: String) async throws -> [String] {
        let statement = PostgresStatement(
            name: "forbidden_calls",
            sql: """
                SELECT format('SELECT %I(%s)', p.proname, coalesce((
                    SELECT string_agg('NULL::' || format_type(t.type, NULL), ', ' ORDER BY t.place)
                    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (type, place)), '')) AS call
                FROM pg_proc p JOIN function_rights() f ON f.function_name = p.proname
                WHERE p.pronamespace = current_schema()::regnamespace AND p.prorettype <> 'trigger'::regtype
                    AND NOT has_function_privilege($1::name, p.oid, 'EXECUTE')
                ORDER BY 1
                """)
        return try await rights.database.pool.query(statement, [rights.roles.name(role)]).map {
            try $0.decode("call", as: String.self)
        }
    }

    /// Everything that a name in front of the search path could stand for.
    private static func shadows(_ role: String) -> String {
        """
        CREATE TEMPORARY TABLE grantee (role_name name, ability text, granted_by name, granted_at timestamptz);
        INSERT INTO grantee SELECT session_user, a, session_user, now() FROM unnest('{operator,worker,submitter}'::text[]) a;
        CREATE TEMPORARY TABLE run AS SELECT * FROM \(role).run;
        UPDATE run SET submitted_by = session_user;
        CREATE TEMPORARY TABLE worker AS SELECT * FROM \(role).worker;
        UPDATE worker SET registered_by = session_user;
        CREATE TEMPORARY TABLE project AS SELECT * FROM \(role).project;
        UPDATE project SET max_tier = 3;
        CREATE TEMPORARY TABLE schedule AS SELECT * FROM \(role).schedule;
        UPDATE schedule SET created_by = session_user, look_at = 'epoch';
        CREATE TEMPORARY TABLE history_permit AS SELECT pg_current_xact_id() AS txid;
        CREATE FUNCTION pg_temp.role_may(p_role name, p_ability text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE FUNCTION pg_temp.check_run(p_run text) RETURNS void LANGUAGE sql AS '';
        CREATE FUNCTION pg_temp.pg_has_role(name, name, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE FUNCTION pg_temp.equal(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR pg_temp.= (LEFTARG = name, RIGHTARG = name, FUNCTION = pg_temp.equal);
        SET search_path = pg_temp, \(role), pg_catalog;
        """
    }

    /// What a role tries with the functions that it may call.
    private static let attacks: [String: [String]] = [
        "bob": [
            // Others' runs.
            "SELECT cancel_jobs('aaaaaaaa', NULL, 'x')", "SELECT cancel_jobs('aaaaaaaa', 0, 'x')",
            "SELECT hold_jobs('aaaaaaaa', NULL, 'x')", "SELECT release_jobs('aaaaaaaa', NULL)",
            "SELECT retry_jobs('aaaaaaaa', NULL, false)", "SELECT mix_engines('aaaaaaaa', NULL)",
            "SELECT set_tier('aaaaaaaa', NULL, 2)",
            // His own, too high.
            "SELECT set_tier('bbbbbbbb', NULL, 3)", "SELECT set_tier('bbbbbbbb', 0, 3)",
            // Others' names.
            "SELECT add_model('small', '/x', repeat('cd', 32), 1, 'a', 1, 1, 1, repeat('cd', 32), 'q', true)",
            "SELECT add_data_set_split('rows', '', 'test', repeat('cd', 32), 1, '{a}', 's', 'u', true)",
            "SELECT remove_data_set('rows', '')",
            "SELECT change_project('default', 1e6, NULL, NULL, false, false, 3, false)",
            // Others' schedules.
            "SELECT lock_schedule('nightly')", "SELECT remove_schedule('nightly')",
            "SELECT pause_schedule(schedule_id, 'u', 'x') FROM schedule",
            "SELECT resume_schedule(schedule_id) FROM schedule",
            "SELECT replace_schedule(schedule_id, '* * * * *', 'UTC', 'skip', 0, 0, 'p', 'u', '{}') FROM schedule",
            "SELECT advance_schedule(schedule_id, NULL, 'infinity', NULL, NULL) FROM schedule",
            "SELECT open_schedule_runs(schedule_id) FROM schedule",
            "SELECT record_schedule_fire(schedule_id, now(), 1, 'clock', 'skipped', 'x', NULL) FROM schedule",
            "SELECT cancel_schedule_run(schedule_id, 'aaaaaaaa') FROM schedule",
            "SELECT submit_schedule_run(schedule_id, 'cccccccc', 'n', 1, repeat('cd', 32), '{}', '{}', '[]') FROM schedule",
            // A run that does not hold together.
            """
            SELECT submit_run('dddddddd', 'default', 'n', 'alice', 3, repeat('cd', 32), '{}', '{}', '[]')
            """,
            """
            SELECT submit_run('dddddddd', 'default', 'n', 'alice', 1, repeat('cd', 32), '{}', '{x}', '[{"task": "t",
                "model": "m", "model_sha256": "\(hexadecimalA)", "specification": 1, "samples": 10, "shards": [[5, 3]],
                "labels": [], "gpu_mb": 0, "max_attempts": 1, "after": []}]')
            """,
            """
            SELECT submit_run('dddddddd', 'default', 'n', 'alice', 1, repeat('cd', 32), '{}', '{x}', '[{"task": "t",
                "model": "m", "model_sha256": "\(hexadecimalA)", "specification": 1, "samples": 2000000000,
                "shards": [[1, 2000000000]], "labels": [], "gpu_mb": 0, "max_attempts": 1, "after": []}]')
            """,
        ],
        "other_gpu": [
            // The other worker's shards, whose incarnation everybody can read.
            """
            SELECT commit_shards(ARRAY[job_id], ARRAY[shard_no], ARRAY[epoch], ARRAY[incarnation], ARRAY['runs/forged.h5'],
                ARRAY[1::bigint], ARRAY[repeat('cd', 32)], ARRAY['forged'], ARRAY[row_count], ARRAY[1::bigint],
                ARRAY[1::float8]) FROM shard WHERE state = 'running'
            """,
            "SELECT fail_shard(job_id, shard_no, epoch, incarnation, 'x', true, 1) FROM shard WHERE state = 'running'",
            "SELECT release_shards(incarnation, ARRAY[job_id], ARRAY[shard_no], ARRAY[epoch]) FROM shard "
                + "WHERE state = 'running'",
            "SELECT heartbeat(worker_id, incarnation, '{}', '{}', '{}', '{}', '{}') FROM worker WHERE state = 'live'",
            "SELECT claim_shards(worker_id, incarnation, 1, NULL, NULL) FROM worker WHERE state = 'live'",
            "SELECT deregister_worker(worker_id, incarnation) FROM worker WHERE state = 'live'",
            "SELECT drain_worker(worker_id) FROM worker WHERE state = 'live'",
            "SELECT equal_results(job_id, shard_no, incarnation) FROM shard WHERE state = 'running'",
            // Schedules that are not due.
            "SELECT advance_schedule(schedule_id, NULL, 'infinity', NULL, NULL) FROM schedule",
            "SELECT record_schedule_fire(schedule_id, now(), 1, 'clock', 'skipped', 'x', NULL) FROM schedule",
            "SELECT cancel_schedule_run(schedule_id, 'aaaaaaaa') FROM schedule",
            "SELECT submit_schedule_run(schedule_id, 'cccccccc', 'n', 1, repeat('cd', 32), '{}', '{}', '[]') FROM schedule",
        ],
    ]

    @Test(arguments: ["bob", "other_gpu", "rita", "olga", "stranger"])
    func nothingIsChangedWithoutTheRight(role: String) async throws {
        try await withRights { rights in
            try await prepare(rights)
            let schema = rights.database.schema
            let before = try await rights.contents()
            let tables = PostgresStatement(
                name: "columns",
                sql: """
                    SELECT c.relname::text AS name, (SELECT a.attname::text FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attidentity = '' ORDER BY a.attnum LIMIT 1) AS first
                    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
                    """)
            var columns: [String: String] = [:]
            for row in try await rights.database.pool.query(tables) {
                columns[try row.decode("name")] = try row.decode("first", as: String.self)
            }
            // Who may not even enter the schema finds nothing there.
            let hidden = role == "stranger" ? ["3F000", "42P01", "42883", "42704"] : []
            let expected = Set(["42501", "EW003", "22023"] + hidden)
            let connection = try await rights.connect(as: role)
            let own = Self.attacks[role] ?? []
            var refused = 0
            let plain = Self.againstTables(columns.keys.sorted(), columns: columns, schema: schema)
            for sql in plain + (try await forbiddenCalls(rights, role: role)) + own {
                let error = await #expect(throws: PostgresError.self, "\(role): \(sql)") {
                    try await connection.execute(script: sql, name: "attack")
                }
                #expect(expected.contains(error?.sqlState ?? ""), "\(role): \(sql): \(error?.description ?? "")")
                try await connection.execute(script: "ROLLBACK")
                refused += 1
            }
            if role != "stranger" {
                // Again with everything of the caller's own in front; that it gets there is not what is refused.
                try await connection.execute(script: Self.shadows(schema), name: "shadows")
                for sql in role == "rita" ? Self.attacks.values.flatMap({ $0 }) : own {
                    let error = await #expect(throws: PostgresError.self, "\(role), shadowed: \(sql)") {
                        try await connection.execute(script: sql.qualified(schema), name: "attack")
                    }
                    #expect(expected.contains(error?.sqlState ?? ""), "\(role), shadowed: \(sql)")
                    refused += 1
                }
            }
            await connection.close()
            let after = try await rights.contents()
            for (table, digest) in before {
                #expect(after[table] == digest, "\(role) changed \(table)")
            }
            #expect(after.keys.sorted() == before.keys.sorted())
            try await Certificate.record(["statement of a role without the right": refused], in: rights.database.pool)
        }
    }

    /// History is not the owner's to delete either.
    @Test func historyStaysForItsOwnerToo() async throws {
        try await withRights { rights in
            try await prepare(rights)
            let before = try await rights.contents()
            let owner = try await rights.connect(as: "owner")
            for table in [
                "shard_result", "attempt", "job_spec", "archived_shard", "archived_result", "archived_attempt",
                "schedule_fire",
            ] {
                for sql in [
                    "DELETE FROM \(table)", "TRUNCATE \(table) CASCADE",
                    "SET assay.history_permit = on; SET assay.archiving = 'on'; DELETE FROM \(table)",
                    // A permit of another transaction is none.
                    "BEGIN; SELECT permit_history_move(); COMMIT; DELETE FROM \(table)",
                ] {
                    let error = await #expect(throws: PostgresError.self, "\(sql)") {
                        try await owner.execute(script: sql)
                    }
                    #expect(error?.sqlState == "23001", "\(sql): \(error?.description ?? "")")
                }
            }
            for sql in ["TRUNCATE run CASCADE", "TRUNCATE job CASCADE", "TRUNCATE shard CASCADE"] {
                let error = await #expect(throws: PostgresError.self, "\(sql)") { try await owner.execute(script: sql) }
                #expect(error?.sqlState == "23001", "\(sql): \(error?.description ?? "")")
            }
            await owner.close()
            let after = try await rights.contents()
            for (table, digest) in before where table != "history_permit" {
                #expect(after[table] == digest, "\(table)")
            }
        }
    }

    /// A text can't be stored under another one's hash, so nobody's work is exchanged for something else.
    @Test func aSpecificationIsWhatItsHashSays() async throws {
        try await withRights { rights in
            try await rights.withQueue(as: "bob") { queue in
                try await queue.submit(submission("bbbbbbbb", [job(specification: #"{"a": 1}"#)]))
            }
            let wrong = PostgresStatement(
                name: "wrong",
                sql: "SELECT count(*) AS count FROM job_spec "
                    + "WHERE sha256 <> sha256(convert_to(specification, 'UTF8'))")
            #expect(try await rights.database.pool.query(wrong).only().decode("count", as: Int.self) == 0)
        }
    }

    /// Work of Alice and Bob, a result, a failure, a running shard, an archived run, names, a schedule.
    private func prepare(_ rights: RightsDatabase) async throws {
        try await rights.withQueue(as: "alice") { queue in
            try await queue.submit(submission("zzzzzzzz", [job(shards: 1)]))
            try await queue.addModel(model("small"))
            try await queue.addDataSet(
                DataSetRecord(
                    DataSetName("rows"),
                    splits: [
                        .init(name: "test", sha256: hexadecimalA, rows: 1, columns: ["a"], source: "s", user: "alice")
                    ]), replacing: false)
            try await queue.addSchedule(schedule("nightly", "0 2 1 1 *"))
            _ = try await queue.triggerSchedule(named: "nightly", overlap: nil, asPlanned)
        }
        try await rights.withQueue(as: "gpu") { queue in
            try await queue.finish(RunID("zzzzzzzz"))
        }
        try await rights.withQueue(as: "owner") { queue in
            try await queue.reap()
            _ = try await queue.archive(olderThan: .zero, limit: 10)
        }
        try await rights.withQueue(as: "alice") { try await $0.submit(submission("aaaaaaaa", [job(shards: 4)])) }
        try await rights.withQueue(as: "bob") { try await $0.submit(submission("bbbbbbbb")) }
        try await rights.withQueue(as: "gpu") { queue in
            let lease = try await queue.register(worker(), ttl: .seconds(3600))
            let shards = try await queue.claim(lease, limit: 3, run: RunID("aaaaaaaa"))
            _ = try await queue.commit(shards[0], publication(of: shards[0]))
            _ = try await queue.fail(shards[1], failure(isPermanent: true))
        }
    }
}

extension String {
    /// With the functions of the schema instead of those of the search path.
    fileprivate func qualified(_ schema: String) -> String {
        replacing("SELECT ", with: "SELECT \(schema).", maxReplacements: 1).replacing("FROM ", with: "FROM \(schema).")
    }
}
