import FoundationEssentials
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
        try check(claimLimit: request.limit)
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
