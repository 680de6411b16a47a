import FoundationEssentials

extension Ledger {
    /// There is one in each process, so to speak.
    static let systemIdentifier: Int64 = 1
    static let databaseOID: Int64 = 1

    var databaseIdentity: DatabaseIdentity {
        DatabaseIdentity(
            systemIdentifier: Self.systemIdentifier, databaseOID: Self.databaseOID, databaseName: "memory",
            adoption: adoption)
    }

    mutating func adoptStore(
        _ store: UUID, path: String, user: String, onlyFirst: Bool, now: Date
    ) throws(QueueError) -> StoreAdoption {
        try checkAdoption(path: path, user: user)
        if onlyFirst, let adoption { return adoption }
        let new = StoreAdoption(
            store: store, database: UUID(), systemIdentifier: Self.systemIdentifier, databaseOID: Self.databaseOID,
            path: path, user: user, adoptedAt: now)
        adoption = new
        return new
    }

    func verdict(on claim: ClaimReference) -> ClaimVerdict {
        guard let run = runs[claim.run], let id = run.jobs.first(where: { $0.ordinal == claim.ordinal }),
            let index = index(of: id), jobs[index].shards.indices.contains(claim.shard)
        else { return .unknown }
        let shard = jobs[index].shards[claim.shard]
        if let result = shard.result, result.epoch == claim.epoch, result.incarnation == claim.incarnation {
            return .alive
        }
        guard shard.epoch == claim.epoch else { return claim.epoch > shard.epoch ? .newer : .dead }
        if shard.claim?.incarnation == claim.incarnation, shard.result == nil, run.archivedAt == nil { return .alive }
        let isWithdrawn = withdrawn[id.number, default: []].contains {
            $0.result.key.index == claim.shard && $0.result.epoch == claim.epoch
                && $0.result.incarnation == claim.incarnation
        }
        if isWithdrawn, shard.state != .cancelled { return .alive }
        return workers.contains { $0.incarnation == claim.incarnation } ? .dead : .stranger
    }

    mutating func withdraw(
        _ results: [ResultWithdrawal], of id: JobID, user: String, again: Bool, now: Date
    ) throws(QueueError) -> [Int] {
        for result in results { try result.validate() }
        try check(user, "the user's name", 1...200)
        guard let job = index(of: id) else {
            throw QueueError.jobNotFound(id.name)
        }
        guard runs[id.run]?.archivedAt == nil else {
            throw QueueError.isArchived(id.run)
        }
        if !again, !jobs[job].isCancelled {
            jobs[job].isCancelled = true
            jobs[job].cancelReason = "its results were removed by \(user)"
            jobs[job].gate = .open
            jobs[job].gateReason = nil
        }
        if !again, jobs.allSatisfy({ $0.id.run != id.run || $0.isCancelled }) {
            let before = runs[id.run]?.cancelledAt
            runs[id.run]?.cancelledAt = before ?? now
        }
        var taken: [Int] = []
        for item in results where jobs[job].shards.indices.contains(item.shard) {
            var shard = jobs[job].shards[item.shard]
            guard let result = shard.result, result.epoch == item.epoch, result.incarnation == item.incarnation else {
                continue
            }
            withdrawn[id.number, default: []].append(
                Withdrawal(
                    startedAt: shard.claim?.startedAt ?? now, result: result,
                    record: WithdrawnResult(
                        shard: item.shard, epoch: result.epoch, path: result.publication.path,
                        bytes: result.publication.bytes, sha256: result.publication.sha256,
                        digest: result.publication.digest, reason: item.reason, user: user, withdrawnAt: now)))
            shard.result = nil
            // The old claim can't commit again.
            shard.claim?.incarnation = .random()
            shard.failures = 0
            shard.losses = 0
            shard.samplesDone = 0
            shard.tokensDone = 0
            shard.endedAt = nil
            shard.reason = nil
            shard.state = .ready
            if jobs[job].isCancelled { shard.cancel(item.reason, now: now) }
            jobs[job].shards[item.shard] = shard
            taken.append(item.shard)
        }
        unfixEngine(of: job)
        return taken.sorted()
    }

    func withdrawnResults(of job: JobID) -> [WithdrawnResult] {
        withdrawn[job.number, default: []].map(\.record).sorted {
            ($0.shard, $0.epoch) < ($1.shard, $1.epoch)
        }
    }

    mutating func restore(_ run: RunID) throws(QueueError) -> Bool {
        guard let known = runs[run] else {
            throw QueueError.runNotFound(run.text)
        }
        runs[run]?.archivedAt = nil
        return known.archivedAt != nil
    }

    var namedHashes: Set<String> {
        let texts =
            jobs.map(\.submission.specification) + runs.values.map(\.submission.specification)
            + schedules.values.compactMap { try? $0.definition.template.json() }
        let named = texts.flatMap { $0.matches(of: #/[0-9a-f]{64}/#).map { String($0.output) } }
        return Set(named + dataSets.values.flatMap { $0.splits.map(\.sha256) })
    }
}
