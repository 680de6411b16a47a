import Postgres
import SQL

extension PostgresJobQueue {
    @discardableResult
    public func cancel(_ work: WorkTarget) async throws(QueueError) -> Int {
        let reason =
            switch work {
            case .run: "the run was cancelled"
            case .job: "the job was cancelled"
            }
        return try await change(work, .cancelJobs, [work.run.text, work.ordinal, reason], to: "cancel \(work)")
    }

    @discardableResult
    public func hold(_ work: WorkTarget, reason: String) async throws(QueueError) -> Int {
        try check(reason, "the reason", 1...1000)
        return try await change(work, .holdJobs, [work.run.text, work.ordinal, reason], to: "hold \(work)")
    }

    @discardableResult
    public func release(_ work: WorkTarget) async throws(QueueError) -> Int {
        try await change(work, .releaseJobs, [work.run.text, work.ordinal], to: "release \(work)")
    }

    @discardableResult
    public func retry(_ work: WorkTarget, onlyFailed: Bool) async throws(QueueError) -> Int {
        try await change(work, .retryJobs, [work.run.text, work.ordinal, onlyFailed], to: "retry \(work)")
    }

    @discardableResult
    public func mixEngines(of work: WorkTarget) async throws(QueueError) -> Int {
        try await change(work, .mixEngines, [work.run.text, work.ordinal], to: "let other engines finish \(work)")
    }

    @discardableResult
    public func setPriority(_ priority: Priority, of work: WorkTarget) async throws(QueueError) -> Int {
        try await change(
            work, .setTier, [work.run.text, work.ordinal, priority.rawValue], to: "change the priority of \(work)")
    }

    @discardableResult
    public func archive(olderThan age: Duration, limit: Int) async throws(QueueError) -> Int {
        let parameters: [(any PostgresEncodable)?] = [age.inSeconds, min(max(0, limit), storableCount.upperBound)]
        return try await query(.archiveRuns, parameters, to: "archive old runs") { rows throws(PostgresError) in
            try rows.only().decode("archived", as: Int.self)
        }
    }

    /// Cancels runs that score results again and whose command has died, and answers how many.
    public func cancelAbandonedRescorings(limit: Int) async throws(QueueError) -> Int {
        let parameters = [min(max(0, limit), storableCount.upperBound)]
        return try await query(.cancelAbandonedRescorings, parameters, to: "cancel abandoned rescorings") {
            rows throws(PostgresError) in
            try rows.only().decode("cancelled", as: Int.self)
        }
    }

    /// Calls one of the functions that answer how much they changed, and null for what does not exist.
    private func change(
        _ work: WorkTarget, _ statement: Query, _ parameters: [(any PostgresEncodable)?], to task: String
    ) async throws(QueueError) -> Int {
        let changed: Int?
        do {
            changed = try await query(statement, parameters, to: task) { rows throws(PostgresError) in
                try rows.only().decode("changed", as: Int?.self)
            }
        } catch  where error.code == .conflict {
            throw QueueError.isArchived(work.run)
        }
        guard let changed else {
            switch work {
            case .run(let run): throw QueueError.runNotFound(run.text)
            case .job(let job): throw QueueError.jobNotFound(job.name)
            }
        }
        return changed
    }
}
