import Foundation
import Postgres
import PostgresTesting

/// All that the program of the last release says to the database, from its own files (Fixtures/release-fe2e96d), in an
/// order in which it means something: two runs' lives, with names, projects and a schedule.
enum ReleaseSession {
    static let release = "release-fe2e96d"

    static var folder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/\(release)")
    }

    struct Step {
        var name: String
        var parameters: [String?]
    }

    private static let worker = "11111111-1111-4111-8111-111111111111"
    private static let sha = String(repeating: "ab", count: 32)
    private static let path = "runs/k3f9x2a0/k3f9x2a0.0/shard-0.e1.\(worker).h5"
    private static let far = "2100-01-01 00:00:00+00"

    /// What is not said again to a database that has been migrated.
    static let left: Set = ["create_migration_table", "insert_migration"]

    static let steps: [Step] = [
        Step("find_migration_table"), Step("list_migrations"), Step("lock_migrations"),
        // Names.
        Step("insert_model", "small", "/m.gguf", sha, "10", "llama", "5", "64", "100", sha, "Q4_1", "false"),
        Step("list_models", nil),
        Step("insert_data_set_split", "rows", "", "test", sha, "3", "{a,b}", "file", "ada", "false"),
        Step("list_data_set_splits", "rows", ""), Step("remove_data_set", "rows", ""),
        // A run of three shards, and one that waits for it.
        Step("insert_project", "evals"), Step("change_project", "evals", "2", "5", "9", "false", "false"),
        Step("insert_run", "k3f9x2a0", "evals", "first", "ada", "1", sha, "{}"), Step("find_submission", "k3f9x2a0"),
        Step("insert_job_spec", sha, "{}"),
        Step(
            "insert_job", "k3f9x2a0", "0", "3", "0", "30", "3", "task", "small", sha, sha, "{}", nil, "1", "false"),
        Step("insert_shards", "1", "{0,10,20}", "{10,10,10}"), Step("notify_submitted", "k3f9x2a0"),
        Step("insert_run", "k3f9x2a1", "evals", "second", "ada", "1", sha, "{}"),
        Step("insert_job", "k3f9x2a1", "0", "3", "0", "10", "1", "task", "small", sha, sha, "{}", nil, nil, "true"),
        Step("insert_shards", "2", "{0}", "{10}"), Step("insert_dependency", "2", "k3f9x2a0", nil, "any"),
        Step("open_gates"),
        // A worker's life.
        Step("register_worker", worker, "node1", "77", "cpu", "{}", "0", "engine", "{}", "3600", "cpu"),
        Step("list_workers"), Step("claim_shards", "1", worker, "2", nil, nil),
        Step("heartbeat", "1", worker, "{1,1}", "{0,1}", "{1,1}", "{4,0}", "{40,0}"),
        Step("claim_shards", "1", worker, "1", "k3f9x2a0", "2"), Step("list_shards", "1"), Step("job_facts", "1"),
        Step("run_outlook", "k3f9x2a0"), Step("open_shard_count", nil), Step("open_shard_count", "k3f9x2a1"),
        Step(
            "commit_shards", "{1}", "{0}", "{1}", "{\(worker)}", "{\(path)}", "{100}", "{\(sha)}", "{digest}", "{10}",
            "{70}", "{1.5}"),
        Step(
            "commit_shards", "{1}", "{0}", "{1}", "{\(worker)}", "{\(path)}", "{100}", "{\(sha)}", "{digest}", "{10}",
            "{70}", "{1.5}"),
        Step("release_shards", worker, "{1}", "{1}", "{1}"), Step("claim_shards", "1", worker, "2", nil, nil),
        Step("fail_shard", "1", "1", "2", worker, "broken", "true", "0.5"), Step("promote_shards"), Step("reap"),
        Step("list_results", "1"), Step("list_attempts", "1"),
        Step("find_dead_claims", "{k3f9x2a0,k3f9x2a0}", "{0,0}", "{0,1}", "{1,1}", "{\(worker),\(worker)}"),
        // What people do.
        Step("set_tier", "k3f9x2a0", nil, "2"), Step("hold_jobs", "k3f9x2a0", "0", "by ada"),
        Step("release_jobs", "k3f9x2a0", "0"), Step("retry_jobs", "k3f9x2a0", nil, "true"),
        Step("list_jobs", "k3f9x2a0", nil), Step("list_runs", nil, "10"), Step("find_runs", "k3f9", "10"),
        Step("list_projects", nil), Step("run_specification", "k3f9x2a0"), Step("job_specification", "1"),
        Step("cancel_jobs", "k3f9x2a0", nil, "the run was cancelled"), Step("drain_worker", "1"),
        Step("heartbeat", "1", worker, "{}", "{}", "{}", "{}", "{}"), Step("deregister_worker", "1", worker),
        Step("list_runs", "evals", "10"),
        // A schedule.
        Step("insert_schedule", "nightly", "0 2 * * *", "UTC", "skip", "0", "0", "evals", "ada", "{}"),
        Step("due_schedules", "10"), Step("lock_due_schedule", "1"), Step("lock_schedule", "nightly"),
        Step("schedule_template", "nightly"), Step("open_schedule_runs", "1"),
        Step("next_schedule_fire", "1", "2026-01-01 02:00:00+00"),
        Step(
            "insert_schedule_fire", "1", "2026-01-01 02:00:00+00", "1", "clock", "fired", nil, "k3f9x2a1"),
        Step("insert_schedule_run", "k3f9x2a1", "1"), Step("advance_schedule", "1", far, far, nil, nil),
        Step("list_schedule_fires", "nightly", "2026-01-01 00:00:00+00", far, "10"),
        Step("pause_schedule", "1", "ada", "x"), Step("resume_schedule", "1"),
        Step("replace_schedule", "1", "0 3 * * *", "UTC", "skip", "0", "0", "evals", "ada", "{}"),
        Step("list_schedules", nil), Step("remove_schedule", "nightly"), Step("archive_runs", "0", "10"),
    ]

    /// Columns whose values nobody can foresee.
    private static let volatile: Set = [
        "now", "submitted_at", "started_at", "ended_at", "cancelled_at", "archived_at", "added_at", "registered_at",
        "seen_at", "lease_until", "committed_at", "recorded_at", "created_at", "updated_at", "paused_at", "applied_at",
        "next_attempt_at", "not_before", "retry_seconds", "key", "look_at", "used_seconds", "archived",
    ]

    /// Says everything, and answers a line for each step: its columns and its rows, or its error.
    static func run(_ steps: [Step] = steps, on connection: PostgresConnection) async throws -> [String] {
        var answers: [String] = []
        for step in steps {
            let sql = try String(contentsOf: folder.appending(path: "\(step.name).sql"), encoding: .utf8)
            var answer = step.name
            do {
                let rows = try await connection.query(
                    PostgresStatement(name: step.name, sql: sql), step.parameters.map { $0 as (any PostgresEncodable)? }
                )
                answer += " \(rows.columns) \(rows.affectedRows)"
                for row in rows where step.name != "list_migrations" {
                    let values = try rows.columns.map { column in
                        let value = try row.decode(column, as: String?.self)
                        // Nothing is an empty text from one language of functions, and null from another.
                        return volatile.contains(column)
                            ? "\(value != nil)" : value.flatMap { $0.isEmpty ? nil : $0 } ?? "null"
                    }
                    answer += " (\(values.joined(separator: ", ")))"
                }
            } catch let error as PostgresError {
                answer += " \(error.sqlState ?? "\(error.code)"): \(error.message)"
            }
            answers.append(answer)
        }
        return answers
    }
}

extension ReleaseSession.Step {
    init(_ name: String, _ parameters: String?...) {
        self.init(name: name, parameters: parameters)
    }
}
