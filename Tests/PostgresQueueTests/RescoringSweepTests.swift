import FoundationEssentials
import JobQueue
import Postgres
import PostgresQueue
import PostgresTesting
import Testing

/// Runs that only the command that submitted them can work on.
@Suite struct RescoringSweepTests {
    private static let label = "rescoring-k3f9x2a0"

    @Test func onlyRunsWhoseCommandIsDeadAreCancelled() async throws {
        try await withTestDatabase { database in
            try await Migrator(database.pool).migrate()
            let queue = PostgresJobQueue(database.pool)
            let specification = #"{"rescoredFrom":{"job":"k3f9x2a0.0"}}"#
            let rescoring = job(shards: 2, specification: specification, needLabels: [Self.label])
            // Looks like one, but a worker with that label may come at any time.
            let other = job(shards: 2, needLabels: [Self.label])
            try await queue.submit(submission("aaaaaaaa", [rescoring]))
            try await queue.submit(submission("bbbbbbbb", [other]))
            #expect(try await queue.cancelAbandonedRescorings(limit: 9) == 0, "its command may be about to register")
            let age = PostgresStatement(
                name: "age", sql: "UPDATE run SET submitted_at = submitted_at - interval '1 hour'")
            _ = try await database.pool.query(age)
            let lease = try await queue.register(worker(labels: [Self.label]))
            let claimed = try await queue.claim(lease, ClaimRequest(run: RunID("aaaaaaaa")))
            #expect(claimed.count == 1)
            #expect(try await queue.cancelAbandonedRescorings(limit: 9) == 0)
            try await queue.deregister(lease)
            #expect(try await queue.cancelAbandonedRescorings(limit: 9) == 1)
            let run = try await queue.run(matching: "aaaaaaaa")
            #expect(run.state == .cancelled)
            #expect(
                try await queue.shards(of: queue.jobs(of: run.id)[0].id).compactMap(\.reason)
                    == Array(repeating: "the command that scored it again ended before it was done", count: 2))
            #expect(try await queue.openShardCount(run: RunID("bbbbbbbb")) == 2)
            #expect(try await queue.cancelAbandonedRescorings(limit: 9) == 0)
        }
    }
}
