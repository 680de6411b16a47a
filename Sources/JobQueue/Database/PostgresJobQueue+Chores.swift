import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func dueChores() async throws(QueueError) -> [Chore] {
        try await query(.dueChores, to: "see what is due in the queue") { rows throws(PostgresError) in
            var names: Set<String> = []
            for row in rows {
                names.insert(try row.decode("name"))
            }
            // Those of a newer schema are for newer programs.
            return Chore.allCases.filter { names.contains($0.rawValue) }
        }
    }

    @discardableResult
    public func run(_ chore: Chore, isForced: Bool) async throws(QueueError) -> ChoreOutcome? {
        do {
            let rows = try await pool.query(
                PostgresStatement(.runChore), [chore.rawValue, isForced], timeout: Self.choreTimeout)
            guard !rows.isEmpty else { return nil }
            var outcome = ChoreOutcome()
            for row in rows {
                let changed: Int = try row.decode("changed")
                switch try row.decode("what", as: String.self) {
                case "workers": outcome.report.workers = changed
                case "requeued": outcome.report.requeued = changed
                case "held": outcome.report.held = changed
                case "promotion": outcome.report.promoted = changed
                default: break
                }
                outcome.changed += changed
            }
            return outcome
        } catch {
            let failure = QueueError(error, task: "do the queue's chore '\(chore.rawValue)'")
            // `assay doctor` reads it. While the database is away it can't be written down.
            try? await query(.noteChoreFailure, [chore.rawValue, "\(error)"], to: "record a failed chore") { _ in }
            throw failure
        }
    }

    public func chores() async throws(QueueError) -> [ChoreRecord] {
        try await query(.listChores, to: "list the queue's chores") { rows throws(PostgresError) in
            var records: [ChoreRecord] = []
            for row in rows {
                guard let chore = Chore(rawValue: try row.decode("name")) else { continue }
                records.append(
                    ChoreRecord(
                        chore: chore, interval: .seconds(try row.decode("every_seconds", as: Double.self)),
                        succeededAt: try row.optionalDate("succeeded_at"), seconds: try row.decode("seconds"),
                        failedAt: try row.optionalDate("failed_at"), error: try row.decode("error")))
            }
            return records
        }
    }

    /// Long enough for the slices that chores work in, and shorter than any session's own limit.
    private static let choreTimeout: Duration = .seconds(10)
}
