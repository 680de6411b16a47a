import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func shards(of job: JobID) async throws(QueueError) -> [ShardRecord] {
        let shards = try await query(.listShards, [job.number], to: "list the shards of job \(job)") {
            rows throws(PostgresError) in
            var records: [ShardRecord] = []
            for row in rows {
                records.append(try ShardRecord(row, job))
            }
            return records
        }
        guard !shards.isEmpty else {
            throw QueueError.jobNotFound(job.name)
        }
        return shards
    }

    public func attempts(of job: JobID) async throws(QueueError) -> [AttemptRecord] {
        let attempts = try await query(.listAttempts, [job.number], to: "list the attempts of job \(job)") {
            rows throws(PostgresError) in
            var records: [AttemptRecord] = []
            for row in rows {
                records.append(try AttemptRecord(row, job))
            }
            return records
        }
        return attempts
    }

    public func troubles(of run: RunID, limit: Int) async throws(QueueError) -> [AttemptRecord] {
        let parameters: [(any PostgresEncodable)?] = [run.text, min(max(0, limit), storableCount.upperBound)]
        return try await query(.listTroubles, parameters, to: "list what went wrong in run \(run)") {
            rows throws(PostgresError) in
            var records: [AttemptRecord] = []
            for row in rows {
                records.append(try AttemptRecord(row, try JobID(row)))
            }
            return records
        }
    }

    public func results(of job: JobID) async throws(QueueError) -> [ShardResult] {
        try await query(.listResults, [job.number], to: "list the results of job \(job)") {
            rows throws(PostgresError) in
            var records: [ShardResult] = []
            for row in rows {
                records.append(try ShardResult(row, job))
            }
            return records
        }
    }
}

extension ShardRecord {
    fileprivate init(_ row: PostgresRow, _ job: JobID) throws(PostgresError) {
        self.init(
            key: ShardKey(job: job, index: try row.decode("shard_no")), range: try ShardRange(row),
            state: try row.name("state"), reason: try row.decode("reason"), epoch: Epoch(try row.decode("epoch")),
            failures: try row.decode("failures"), losses: try row.decode("losses"),
            notBefore: try row.optionalDate("not_before"), worker: try row.optionalWorker("worker_id"),
            startedAt: try row.optionalDate("started_at"), endedAt: try row.optionalDate("ended_at"),
            samplesDone: try row.decode("samples_done"), tokensDone: try row.decode("tokens_done"))
    }
}

extension AttemptRecord {
    fileprivate init(_ row: PostgresRow, _ job: JobID) throws(PostgresError) {
        self.init(
            key: ShardKey(job: job, index: try row.decode("shard_no")), epoch: Epoch(try row.decode("epoch")),
            outcome: try row.name("outcome"), error: try row.decode("error"),
            worker: WorkerID(try row.decode("worker_id")), host: try row.decode("host"),
            device: try row.decode("device"), startedAt: try row.date("started_at"),
            endedAt: try row.optionalDate("ended_at"), seconds: try row.decode("seconds"))
    }
}

extension ShardResult {
    fileprivate init(_ row: PostgresRow, _ job: JobID) throws(PostgresError) {
        self.init(
            key: ShardKey(job: job, index: try row.decode("shard_no")), range: try ShardRange(row),
            epoch: Epoch(try row.decode("epoch")), incarnation: Incarnation(try row.decode("incarnation")),
            publication: ShardPublication(
                path: try row.decode("path"), bytes: try row.decode("bytes"), sha256: try row.decode("sha256"),
                digest: try row.decode("digest"), samples: try row.decode("samples"), tokens: try row.decode("tokens"),
                seconds: try row.decode("seconds")),
            worker: WorkerID(try row.decode("worker_id")), committedAt: try row.date("committed_at"))
    }
}
