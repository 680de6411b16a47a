import FoundationEssentials
public import JobQueue
import Postgres
import SQL

extension PostgresJobQueue {
    public func register(_ description: WorkerDescription, ttl: Duration) async throws(QueueError) -> WorkerLease {
        try description.validate(ttl: ttl)
        let incarnation = Incarnation.random()
        let parameters: [(any PostgresEncodable)?] = [
            incarnation.uuid, description.host, description.pid, description.device, description.deviceKind,
            description.labels, description.gpuMegabytes, description.engine, description.warmModels, ttl.inSeconds,
            Migration.all.last?.version, description.identity,
        ]
        return try await query(.registerWorker, parameters, to: "register the worker") { rows throws(PostgresError) in
            WorkerLease(
                worker: WorkerID(try rows.only().decode("worker_id", as: Int64.self)), incarnation: incarnation,
                ttl: ttl)
        }
    }

    public func claim(_ lease: WorkerLease, _ request: ClaimRequest) async throws(QueueError) -> [ClaimedShard] {
        try QueueError.check(claimLimit: request.limit)
        let parameters: [(any PostgresEncodable)?] = [
            lease.worker.number, lease.incarnation.uuid, request.limit, request.run?.text, request.above?.rawValue,
            request.isPrefetch, request.excluding.map(\.number), request.without.map(\.text),
        ]
        return try await query(.claimShards, parameters, to: "claim shards") { rows throws(PostgresError) in
            // Only the first row carries specification and pace: they are all of one job.
            let specification: String? = try rows.first?.decode("specification")
            let pace: Double? = try rows.first?.decode("seconds_per_sample")
            var claimed: [ClaimedShard] = []
            claimed.reserveCapacity(rows.count)
            for row in rows {
                claimed.append(try ClaimedShard(row, lease, specification: specification ?? "", pace: pace))
            }
            return claimed
        }
    }

    public func begin(_ claimed: [ClaimedShard]) async throws(QueueError) -> [ShardKey] {
        var begun: [ShardKey] = []
        // One call per incarnation; a worker has only one.
        for (incarnation, shards) in Dictionary(grouping: claimed, by: \.incarnation) {
            let parameters: [(any PostgresEncodable)?] = [
                incarnation.uuid, shards.map(\.job.number), shards.map(\.index), shards.map(\.epoch.rawValue),
            ]
            begun += try await query(.beginShards, parameters, to: "begin shards") { rows throws(PostgresError) in
                var keys: [ShardKey] = []
                for row in rows {
                    let place = try row.decode("place", as: Int.self) - 1
                    guard shards.indices.contains(place) else { continue }
                    keys.append(shards[place].key)
                }
                return keys
            }
        }
        return begun.sorted()
    }

    public func commit(_ results: [ShardCommit]) async throws(QueueError) -> [CommitOutcome] {
        guard let first = results.first else { return [] }
        for result in results {
            try result.publication.validate(for: result.claimed)
        }
        // In the order of all locks, which the database takes them in.
        let order = results.indices.sorted {
            let (left, right) = (results[$0].claimed, results[$1].claimed)
            return (left.job.number, left.index) < (right.job.number, right.index)
        }
        let (claimed, published) = (order.map { results[$0].claimed }, order.map { results[$0].publication })
        let parameters: [(any PostgresEncodable)?] = [
            claimed.map(\.job.number), claimed.map(\.index), claimed.map(\.epoch.rawValue),
            claimed.map(\.incarnation.uuid), published.map(\.path), published.map(\.bytes), published.map(\.sha256),
            published.map(\.digest), published.map(\.samples), published.map(\.tokens), published.map(\.seconds),
        ]
        let task = results.count == 1 ? "commit shard \(first.claimed.key)" : "commit \(results.count) shards"
        return try await query(.commitShards, parameters, to: task) { rows throws(PostgresError) in
            var outcomes = [CommitOutcome](repeating: .fenced, count: results.count)
            guard rows.count == results.count else {
                throw PostgresError(.decoding, "\(rows.count) outcomes for \(results.count) results")
            }
            for (place, row) in zip(order, rows) {
                outcomes[place] = try row.name("outcome")
            }
            return outcomes
        }
    }

    public func supersededClaims(among claimed: [ClaimedShard]) async throws(QueueError) -> [ClaimedShard] {
        guard !claimed.isEmpty else { return [] }
        let parameters: [(any PostgresEncodable)?] = [
            claimed.map(\.job.number), claimed.map(\.index), claimed.map(\.epoch.rawValue),
            claimed.map(\.incarnation.uuid),
        ]
        return try await query(.supersededClaims, parameters, to: "look for superseded claims") {
            rows throws(PostgresError) in
            var superseded: [ClaimedShard] = []
            for row in rows {
                let place = try row.decode("number", as: Int.self) - 1
                guard claimed.indices.contains(place) else { continue }
                superseded.append(claimed[place])
            }
            return superseded
        }
    }

    public func equalResults(of shard: ClaimedShard) async throws(QueueError) -> [EqualResult] {
        let parameters: [(any PostgresEncodable)?] = [shard.job.number, shard.index, shard.incarnation.uuid]
        return try await query(.equalResults, parameters, to: "look for results equal to shard \(shard.key)") {
            rows throws(PostgresError) in
            var results: [EqualResult] = []
            for row in rows {
                results.append(try EqualResult(row))
            }
            return results
        }
    }

    public func fail(_ claimed: ClaimedShard, _ failure: ShardFailure) async throws(QueueError) -> FailureOutcome {
        let failure = failure.normalized
        let parameters: [(any PostgresEncodable)?] = [
            claimed.job.number, claimed.index, claimed.epoch.rawValue, claimed.incarnation.uuid, failure.message,
            failure.isPermanent, failure.seconds,
        ]
        do throws(QueueError) {
            return try await query(.failShard, parameters, to: "record the failure of shard \(claimed.key)") {
                rows throws(PostgresError) in
                let row = try rows.only()
                return switch try row.decode("outcome", as: FailureVerdict.self) {
                case .retry: .retry(after: .seconds(try row.decode("retry_seconds", as: Double.self)))
                case .failed: .failed
                case .cancelled: .cancelled
                case .fenced: .fenced
                }
            }
        } catch {
            // lock_not_available
            guard (error.underlying as? PostgresError)?.sqlState == "55P03" else { throw error }
            return .jobIsLocked
        }
    }

    @discardableResult
    public func release(_ claimed: [ClaimedShard], note: String?) async throws(QueueError) -> [ShardKey] {
        var released: [ShardKey] = []
        // One call per incarnation; a worker has only one.
        for (incarnation, shards) in Dictionary(grouping: claimed, by: \.incarnation) {
            let jobs = Dictionary(shards.map { ($0.job.number, $0.job) }, uniquingKeysWith: { first, _ in first })
            let parameters: [(any PostgresEncodable)?] = [
                incarnation.uuid, shards.map(\.job.number), shards.map(\.index), shards.map(\.epoch.rawValue),
                note?.storableNote,
            ]
            released += try await query(.releaseShards, parameters, to: "release shards") {
                rows throws(PostgresError) in
                var keys: [ShardKey] = []
                for row in rows {
                    guard let job = jobs[try row.decode("job_id", as: Int64.self)] else { continue }
                    keys.append(ShardKey(job: job, index: try row.decode("shard_no", as: Int.self)))
                }
                return keys
            }
        }
        return released.sorted()
    }

    public func openShardCount(run: RunID?) async throws(QueueError) -> Int {
        try await query(.openShardCount, [run?.text], to: "count open shards") { rows throws(PostgresError) in
            try rows.only().decode("open", as: Int.self)
        }
    }
}

private enum FailureVerdict: String, PostgresDecodable {
    case retry, failed, cancelled, fenced
}

extension EqualResult {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            job: try JobID(row), path: try row.decode("path"), bytes: try row.decode("bytes"),
            sha256: try row.decode("sha256"), digest: try row.decode("digest"), range: try ShardRange(row))
    }
}

extension ClaimedShard {
    fileprivate init(
        _ row: PostgresRow, _ lease: WorkerLease, specification: String, pace: Double?
    ) throws(PostgresError) {
        self.init(
            key: ShardKey(job: try JobID(row), index: try row.decode("shard_no")), worker: lease.worker,
            epoch: Epoch(try row.decode("epoch")), incarnation: lease.incarnation, range: try ShardRange(row),
            attempt: try row.decode("attempt"), maxAttempts: try row.decode("max_attempts"),
            priority: try row.name("tier"), task: try row.decode("task"), model: try row.decode("model"),
            modelSHA256: try row.decode("model_sha256"), specification: specification,
            secondsPerSample: pace)
    }
}

extension PostgresJobQueue {
    public func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?
    ) async throws(QueueError) -> HeartbeatReply {
        let held = holding.map(\.normalized)
        let parameters: [(any PostgresEncodable)?] = [
            lease.worker.number, lease.incarnation.uuid, held.map(\.key.job.number), held.map(\.key.index),
            held.map(\.epoch.rawValue), held.map(\.samples), held.map(\.tokens),
            note?.storableNote, held.map { "\($0.key.job.run).\($0.key.job.ordinal)" },
        ]
        return try await query(.heartbeat, parameters, to: "renew the worker's lease") { rows throws(PostgresError) in
            var reply = HeartbeatReply(ttl: lease.ttl)
            for row in rows {
                switch try row.decode("kind", as: HeartbeatNews.self) {
                case .lease:
                    reply.ttl = .seconds(try row.decode("ttl_seconds", as: Double.self))
                    reply.isDrainRequested = try row.decode("is_draining")
                case .lost: reply.lost.append(try ShardKey(row))
                case .cancelled: reply.cancelled.append(try ShardKey(row))
                case .orphaned: reply.orphaned.append(try ShardKey(row))
                }
            }
            return reply
        }
    }

    public func deregister(_ lease: WorkerLease, note: String?) async throws(QueueError) {
        let parameters: [(any PostgresEncodable)?] = [
            lease.worker.number, lease.incarnation.uuid, note?.storableNote,
        ]
        try await query(.deregisterWorker, parameters, to: "deregister the worker") { _ in }
    }

    public func drain(_ worker: WorkerID) async throws(QueueError) {
        let found = try await query(.drainWorker, [worker.number], to: "drain worker \(worker)") {
            rows throws(PostgresError) in try rows.only().decode("worker_id", as: Int64?.self) != nil
        }
        guard found else {
            throw QueueError.workerNotFound(worker)
        }
    }

    public func workers() async throws(QueueError) -> [WorkerRecord] {
        try await query(.listWorkers, to: "list the workers") { rows throws(PostgresError) in
            var workers: [WorkerRecord] = []
            for row in rows {
                workers.append(try WorkerRecord(row))
            }
            return workers
        }
    }
}

private enum HeartbeatNews: String, PostgresDecodable {
    case lease, lost, cancelled, orphaned
}

extension ShardKey {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(job: try JobID(row), index: try row.decode("shard_no"))
    }
}

extension WorkerRecord {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            id: WorkerID(try row.decode("worker_id")),
            incarnation: Incarnation(try row.decode("incarnation")), host: try row.decode("host"),
            pid: try row.decode("pid"), device: try row.decode("device"),
            deviceKind: try row.decode("device_kind"), labels: try row.decode("labels"),
            gpuMegabytes: try row.decode("gpu_mb"), engine: try row.decode("engine"),
            identity: try row.decode("identity"),
            warmModels: try row.decode("warm"), state: try row.name("state"),
            isDraining: try row.decode("is_draining"), registeredAt: try row.date("registered_at"),
            seenAt: try row.date("seen_at"), leaseUntil: try row.date("lease_until"), note: try row.decode("note"),
            holding: try row.decode("holding"))
    }
}

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

extension PostgresJobQueue {
    public func facts(of work: WorkTarget) async throws(QueueError) -> [JobFacts] {
        let (jobs, task) = (try await records(of: work), "find out about \(work)")
        let numbers = Dictionary(jobs.map { ($0.id.number, $0) }, uniquingKeysWith: { first, _ in first })
        let found = try await query(.jobFacts, [work.run.text, work.ordinal], to: task) {
            rows throws(PostgresError) in
            var found: [JobFacts] = []
            for row in rows {
                guard let job = numbers[try row.decode("job_id")] else { continue }
                found.append(try JobFacts(row, job, ProjectRecord(name: try row.decode("project"))))
            }
            return found
        }
        guard let name = found.first?.project.name else {
            throw QueueError.runNotFound(work.run.text)
        }
        let project = try await self.project(named: name)
        return found.map { facts in
            var facts = facts
            facts.project = project
            return facts
        }
    }

    private func records(of work: WorkTarget) async throws(QueueError) -> [JobRecord] {
        switch work {
        case .run(let run): try await jobs(of: run)
        case .job(let job): [try await self.job(matching: job.name)]
        }
    }

    public func outlook(of run: RunID) async throws(QueueError) -> RunOutlook {
        try await query(.runOutlook, [run.text], to: "estimate what is left of run \(run)") {
            rows throws(PostgresError) in try RunOutlook(try rows.only())
        }
    }
}

extension RunOutlook {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            deviceSecondsLeft: try row.decode("device_seconds_left"),
            samplesOfUnknownPace: try row.decode("samples_of_unknown_pace"),
            tokensPerSecond: try row.decode("tokens_per_second"), openShards: try row.decode("open_shards"),
            workersHere: try row.decode("workers_here"), workersSuitable: try row.decode("workers_suitable"))
    }
}

extension JobFacts {
    fileprivate init(_ row: PostgresRow, _ job: JobRecord, _ project: ProjectRecord) throws(PostgresError) {
        self.init(
            job: job, project: project, now: try row.date("now"),
            nextAttemptAt: try row.optionalDate("next_attempt_at"), failure: try row.decode("failure"),
            holdReason: try row.decode("hold_reason"), givenBack: try GivenBack(row),
            trouble: try row.decode("trouble"), engine: try row.decode("engine"),
            otherEngine: try row.decode("other_engine"),
            workers: try WorkerFacts(row),
            readyInHigherTiers: try row.decode("ready_in_higher_tiers"),
            readyInOlderJobs: try row.decode("ready_in_older_jobs"),
            readyInOtherProjects: try row.decode("ready_in_other_projects"),
            secondsPerSample: try row.decode("seconds_per_sample"))
    }
}

extension JobFacts.GivenBack {
    fileprivate init?(_ row: PostgresRow) throws(PostgresError) {
        guard let at = try row.optionalDate("given_back_at") else { return nil }
        self.init(reason: try row.decode("given_back_reason"), host: try row.decode("given_back_host"), at: at)
    }
}

extension JobFacts.WorkerFacts {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init()
        live = try row.decode("live")
        draining = try row.decode("draining")
        withLabels = try row.decode("with_labels")
        withMemory = try row.decode("with_memory")
        withDevice = try row.decode("with_device")
        suitable = try row.decode("suitable")
        unlike = try row.decode("unlike")
        busyElsewhere = try row.decode("busy_elsewhere")
        here = try row.decode("here")
    }
}
