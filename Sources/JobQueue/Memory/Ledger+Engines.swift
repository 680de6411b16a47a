extension Ledger.Job {
    /// Its next result may come from this engine.
    func takes(engine identity: String?) -> Bool { isMixed || engine == nil || engine == identity }
}

extension Ledger {
    /// Frees a job from its engine if no result is left and nothing is running on it; the next result fixes one again.
    mutating func unfixEngine(of place: Int) {
        let job = jobs[place]
        guard !job.isMixed, job.engine != nil, job.shards.allSatisfy({ $0.result == nil }) else { return }
        let isRunning = running.contains { held in
            held.job == place
                && index(of: held.claim.worker).flatMap { workers[$0].description.identity } == job.engine
        }
        guard !isRunning else { return }
        jobs[place].engine = nil
        for shard in job.shards.indices where job.shards[shard].state != .running {
            // A late result does not count any more.
            jobs[place].shards[shard].claim?.incarnation = .random()
        }
    }

    mutating func mixEngines(of work: WorkTarget) throws(QueueError) -> Int {
        var count = 0
        for job in try open(work)
        where jobs[job].engine != nil && !jobs[job].isMixed && jobs[job].shards.contains(where: { $0.result == nil }) {
            jobs[job].isMixed = true
            count += 1
        }
        return count
    }

    func equalResults(of claimed: ClaimedShard) -> [EqualResult] {
        guard let place = place(of: claimed.key), let work = jobs[place.job].submission.work,
            let identity = identity(of: claimed.incarnation)
        else { return [] }
        let own = jobs[place.job].shards[place.shard].range
        let same = jobs.reversed().filter { $0.submission.work == work && $0.id != claimed.job }
        let results = same.prefix(EqualResult.limit)
            .filter { $0.engine == identity && !$0.isMixed && runs[$0.id.run]?.archivedAt == nil }
            .flatMap { $0.shards.compactMap(\.result) }
            .filter { $0.range.overlaps(own) && self.identity(of: $0.incarnation) == identity }
        return results.prefix(EqualResult.limit).map { result in
            EqualResult(
                job: result.key.job, path: result.publication.path, bytes: result.publication.bytes,
                sha256: result.publication.sha256, digest: result.publication.digest, range: result.range)
        }
    }

    private func identity(of incarnation: Incarnation) -> String? {
        workers.first { $0.incarnation == incarnation }?.description.identity
    }
}

extension ShardRange {
    fileprivate func overlaps(_ other: ShardRange) -> Bool {
        rowStart < other.rowStart + other.rowCount && other.rowStart < rowStart + rowCount
    }
}
