package import FoundationEssentials
package import JobQueue

extension Ledger {
    package mutating func cancel(_ work: WorkTarget, now: Date) throws(QueueError) -> Int {
        let reason =
            switch work {
            case .run: "the run was cancelled"
            case .job: "the job was cancelled"
            }
        return cancel(try open(work), of: work.run, reason: reason, now: now)
    }

    private mutating func cancel(_ places: [Int], of run: RunID, reason: String, now: Date) -> Int {
        var count = 0
        for job in places {
            if !jobs[job].isCancelled {
                jobs[job].isCancelled = true
                jobs[job].cancelReason = reason
            }
            jobs[job].gate = .open
            jobs[job].gateReason = nil
            for place in jobs[job].needs.indices {
                jobs[job].needs[place].isSettled = true
            }
            for shard in jobs[job].shards.indices
            where [.blocked, .ready, .held].contains(jobs[job].shards[shard].state) {
                jobs[job].shards[shard].cancel(reason, now: now)
                count += 1
            }
        }
        if jobs.allSatisfy({ $0.id.run != run || $0.isCancelled }) {
            let before = runs[run]?.cancelledAt
            runs[run]?.cancelledAt = before ?? now
        }
        return count
    }

    mutating func hold(_ work: WorkTarget, reason: String) throws(QueueError) -> Int {
        try QueueError.check(reason, "the reason", 1...1000)
        var count = 0
        for job in try open(work) where !jobs[job].isCancelled && jobs[job].gate != .held {
            jobs[job].gate = .held
            jobs[job].gateReason = reason
            count += 1
        }
        return count
    }

    mutating func release(_ work: WorkTarget, now: Date) throws(QueueError) -> Int {
        var count = 0
        for job in try open(work) {
            if jobs[job].gate == .held {
                shut(job)
                count += 1
            }
            for shard in jobs[job].shards.indices
            where jobs[job].shards[shard].state == .held && !jobs[job].isCancelled {
                jobs[job].shards[shard].renew()
                count += 1
            }
        }
        openGates(now: now)
        return count
    }

    mutating func retry(_ work: WorkTarget, onlyFailed: Bool, now: Date) throws(QueueError) -> Int {
        var count = 0
        for job in try open(work) {
            if jobs[job].isCancelled, !onlyFailed {
                jobs[job].isCancelled = false
                jobs[job].cancelReason = nil
                shut(job)
                runs[jobs[job].id.run]?.cancelledAt = nil
            } else if jobs[job].gate == .held {
                shut(job)
            }
            guard !jobs[job].isCancelled else { continue }
            for shard in jobs[job].shards.indices {
                let state = jobs[job].shards[shard].state
                guard state == .failed || (!onlyFailed && (state == .cancelled || state == .held)) else { continue }
                jobs[job].shards[shard].renew()
                jobs[job].shards[shard].failures = 0
                jobs[job].shards[shard].avoids = nil
                count += 1
            }
        }
        for job in try open(work) { unfixEngine(of: job) }
        openGates(now: now)
        return count
    }

    mutating func setPriority(_ priority: Priority, of work: WorkTarget) throws(QueueError) -> Int {
        var count = 0
        let places = try open(work)
        if let first = places.first { try checkPriority(priority, in: jobs[first].project) }
        for job in places where jobs[job].priority != priority {
            jobs[job].priority = priority
            count += 1
        }
        if work.ordinal == nil {
            runs[work.run]?.submission.priority = priority
        }
        return count
    }

    mutating func archive(olderThan age: Duration, limit: Int, now: Date) -> Int {
        let old = runs.values.filter { run in
            run.archivedAt == nil && run.submittedAt < now - age.inSeconds
                && jobs.allSatisfy { job in
                    job.id.run != run.submission.id
                        || job.progress.isOver && (job.span.end ?? .distantPast) <= now - age.inSeconds
                }
        }
        let moved = old.sorted { $0.submittedAt < $1.submittedAt }.prefix(max(0, limit))
        for run in moved {
            runs[run.submission.id]?.archivedAt = now
        }
        return moved.count
    }
}

extension Ledger {
    /// Opens the gates of jobs whose dependencies have all ended, and cancels those whose turn can't come any more.
    mutating func openGates(now: Date) {
        for job in jobs.indices where jobs[job].gate == .waiting {
            var broken: [String] = []
            for place in jobs[job].needs.indices where !jobs[job].needs[place].isSettled {
                let need = jobs[job].needs[place]
                let needed = self.jobs(of: need)
                guard needed.allSatisfy(\.progress.isOver) else { continue }
                if need.condition == .ok, needed.contains(where: { $0.counts.failed + $0.counts.cancelled > 0 }) {
                    broken.append(need.name)
                } else {
                    jobs[job].needs[place].isSettled = true
                }
            }
            let waits = jobs[job].needs.filter { !$0.isSettled }.map(\.name)
            if !broken.isEmpty {
                let names = broken.joined(separator: ", ")
                _ = cancel(
                    [job], of: jobs[job].id.run,
                    reason: "it needed the results of \(names), which did not end well", now: now)
            } else if waits.isEmpty {
                jobs[job].gate = .open
                jobs[job].gateReason = nil
            } else {
                jobs[job].gateReason = "waits for \(waits.joined(separator: ", "))"
            }
        }
    }

    private func jobs(of need: Need) -> [Job] {
        (runs[need.run]?.jobs ?? []).filter { need.ordinal == nil || $0.ordinal == need.ordinal }
            .compactMap { index(of: $0) }.map { jobs[$0] }
    }

    /// Shuts a gate that `openGates` opens at once, unless there are dependencies.
    private mutating func shut(_ job: Int) {
        for place in jobs[job].needs.indices {
            jobs[job].needs[place].isSettled = false
        }
        jobs[job].gate = .waiting
        jobs[job].gateReason = "waits for other jobs"
    }

    /// The places of the jobs that are meant.
    ///
    /// - Throws: `notFound`; `conflict` when the run is archived.
    func open(_ work: WorkTarget) throws(QueueError) -> [Int] {
        guard let run = runs[work.run] else {
            throw QueueError.runNotFound(work.run.text)
        }
        let places = run.jobs.filter { work.ordinal == nil || $0.ordinal == work.ordinal }
            .compactMap { index(of: $0) }
        guard !places.isEmpty else {
            throw QueueError.jobNotFound("\(work.run).\(work.ordinal ?? 0)")
        }
        guard run.archivedAt == nil else {
            throw QueueError.isArchived(work.run)
        }
        return places
    }
}

extension Ledger.Shard {
    fileprivate mutating func renew() {
        state = .ready
        reason = nil
        endedAt = nil
        losses = 0
        samplesDone = 0
        tokensDone = 0
    }
}

extension Ledger {
    mutating func addDataSet(
        _ dataSet: DataSetRecord, replacing: Bool, now: Date
    ) throws(QueueError) -> DataSetAddition {
        try dataSet.validate()
        let existing = dataSets[dataSet.name]
        if !replacing { try existing?.checkContent(dataSet) }
        let changed = dataSet.splits.filter { existing?[$0.name]?.sha256 != $0.sha256 }
        var record = existing ?? DataSetRecord(dataSet.name, splits: [])
        record.splits.removeAll { split in changed.contains { $0.name == split.name } }
        for var split in changed {
            split.addedAt = now
            record.splits.append(split)
        }
        record.splits.sort { $0.name < $1.name }
        dataSets[dataSet.name] = record
        return DataSetAddition(record: record, changed: changed.map(\.name).sorted())
    }

    func dataSet(_ name: DataSetName, with splits: [String]) throws(QueueError) -> DataSetRecord {
        guard let dataSet = dataSets[name] else {
            throw QueueError.dataSetNotFound(name, splits: splits, existing: dataSets.keys.sorted())
        }
        try dataSet.checkSplits(splits)
        return dataSet
    }

    mutating func removeDataSet(_ name: DataSetName) throws(QueueError) {
        guard dataSets.removeValue(forKey: name) != nil else {
            throw QueueError.dataSetNotFound(name, splits: [], existing: dataSets.keys.sorted())
        }
    }
}

extension Ledger {
    mutating func addModel(_ model: ModelRecord, replacing: Bool, now: Date) throws(QueueError) -> ModelRecord {
        try model.validate()
        if let existing = models[model.name] {
            guard existing.sha256 != model.sha256 || (replacing && existing.path != model.path) else { return existing }
            guard replacing else {
                throw QueueError.modelConflict(existing, model)
            }
        }
        var added = model
        added.addedAt = now
        models[model.name] = added
        return added
    }

    func model(named name: String) throws(QueueError) -> ModelRecord {
        guard let model = models[name] else {
            throw QueueError.modelNotFound(name, existing: models.keys.sorted())
        }
        return model
    }
}

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
        try StoreAdoption.check(path: path, user: user)
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
        try QueueError.check(user, "the user's name", 1...200)
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
