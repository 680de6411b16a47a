import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func runs(limit: Int, project: String?) async throws(QueueError) -> [RunRecord] {
        let limit = min(max(0, limit), storableCount.upperBound)
        return try await query(.listRuns, [project, limit], to: "list the runs", read: RunRecord.all(in:))
    }

    public func run(matching typed: String) async throws(QueueError) -> RunRecord {
        let prefix = try RunPrefix(typed)
        let shown = 5
        let runs = try await query(
            .findRuns, [prefix.text, shown + 1], to: "look for run '\(typed)'", read: RunRecord.all(in:))
        guard let first = runs.first else {
            throw QueueError.runNotFound(typed)
        }
        guard runs.count == 1 else {
            throw QueueError.runIsAmbiguous(typed, runs.prefix(shown).map(\.id), areMore: runs.count > shown)
        }
        return first
    }

    public func jobs(of run: RunID) async throws(QueueError) -> [JobRecord] {
        let jobs = try await query(
            .listJobs, [run.text, nil], to: "list the jobs of run \(run)", read: JobRecord.all(in:))
        guard !jobs.isEmpty else {
            throw QueueError.runNotFound(run.text)
        }
        return jobs
    }

    public func job(matching name: String) async throws(QueueError) -> JobRecord {
        let parsed = try JobName(name)
        let run = try await run(matching: parsed.run).id
        let jobs = try await query(
            .listJobs, [run.text, parsed.ordinal], to: "look for job \(name)", read: JobRecord.all(in:))
        guard let job = jobs.first else {
            throw QueueError.jobNotFound("\(run).\(parsed.ordinal)")
        }
        return job
    }

    public func specification(of run: RunID) async throws(QueueError) -> String {
        let text = try await query(.runSpecification, [run.text], to: "read the specification of run \(run)") {
            rows throws(PostgresError) in
            try rows.atMostOne()?.decode("specification", as: String.self)
        }
        guard let text else {
            throw QueueError.runNotFound(run.text)
        }
        return text
    }

    public func specification(of job: JobID) async throws(QueueError) -> String {
        let text = try await query(.jobSpecification, [job.number], to: "read the specification of job \(job)") {
            rows throws(PostgresError) in
            try rows.atMostOne()?.decode("specification", as: String.self)
        }
        guard let text else {
            throw QueueError.jobNotFound(job.name)
        }
        return text
    }
}

extension RunRecord {
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [RunRecord] {
        var records: [RunRecord] = []
        for row in rows {
            records.append(try RunRecord(row))
        }
        return records
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        let progress = try WorkProgress(row)
        self.init(
            id: RunID(unchecked: try row.decode("run_id")), name: try row.decode("name"),
            project: try row.decode("project"), user: try row.decode("user_name"),
            priority: try row.name("tier"), jobCount: try row.decode("jobs"),
            submittedAt: try row.date("submitted_at"), cancelledAt: try row.optionalDate("cancelled_at"),
            archivedAt: try row.optionalDate("archived_at"),
            startedAt: try row.optionalDate("started_at"),
            finishedAt: progress.isOver ? try row.optionalDate("ended_at") : nil, progress: progress)
    }
}

extension JobRecord {
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [JobRecord] {
        var records: [JobRecord] = []
        for row in rows {
            records.append(try JobRecord(row))
        }
        return records
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        let progress = try WorkProgress(row)
        self.init(
            id: try JobID(row), task: try row.decode("task"), model: try row.decode("model"),
            modelSHA256: try row.decode("model_sha256"), needLabels: try row.decode("need_labels"),
            needGPUMegabytes: try row.decode("need_gpu_mb"), needDevice: try row.decode("need_device"),
            maxAttempts: try row.decode("max_attempts"), maxFailures: try row.decode("max_failures"),
            priority: try row.name("tier"), gate: try row.name("gate"), reason: try row.decode("reason"),
            startedAt: try row.optionalDate("started_at"),
            finishedAt: progress.isOver ? try row.optionalDate("ended_at") : nil, progress: progress)
        isMixed = try row.decode("is_mixed")
        engine = try row.decode("engine")
    }
}
