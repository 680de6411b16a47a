import FoundationEssentials

/// The wait before the next attempt; the SQL function fail_shard has the same numbers.
enum Backoff {
    /// How much longer than that the worker that failed leaves the shard to others, where there are others.
    static let avoidance: Double = 30

    /// The longest wait after so many earlier failures; the actual one is drawn from zero to this.
    static func limit(failures: Int) -> Double {
        min(600, 5 * Double(1 << min(failures, 10)))
    }
}

extension Ledger {
    mutating func commit(_ results: [ShardCommit], now: Date) throws(QueueError) -> [CommitOutcome] {
        for result in results {
            try result.publication.validate(for: result.claimed)
        }
        // In the order of all locks: the first result of a job fixes its engine. What does not say where it comes from is
        // judged before that.
        func rank(_ place: Int) -> (Int, Int64, Int) {
            let claimed = results[place].claimed
            let isSilent = index(of: claimed.worker).map { workers[$0].description.identity == nil } ?? true
            return (isSilent ? 0 : 1, claimed.job.number, claimed.index)
        }
        let order = results.indices.sorted { rank($0) < rank($1) }
        var outcomes = [CommitOutcome](repeating: .fenced, count: results.count)
        for place in order {
            outcomes[place] = commit(results[place].claimed, results[place].publication, now: now)
        }
        return outcomes
    }

    private mutating func commit(
        _ claimed: ClaimedShard, _ publication: ShardPublication, now: Date
    ) -> CommitOutcome {
        guard let place = place(of: claimed.key) else { return .fenced }
        var shard = jobs[place.job].shards[place.shard]
        if let result = shard.result {
            let isSame =
                result.epoch == claimed.epoch && result.incarnation == claimed.incarnation
                && result.publication.path == publication.path && result.publication.sha256 == publication.sha256
            return isSame ? .already : .fenced
        }
        guard shard.epoch == claimed.epoch, let claim = shard.claim, claim.incarnation == claimed.incarnation,
            [.running, .ready, .held].contains(shard.state)
        else { return .fenced }
        let identity = index(of: claim.worker).flatMap { workers[$0].description.identity }
        if !jobs[place.job].isMixed, jobs[place.job].engine == nil { jobs[place.job].engine = identity }
        guard jobs[place.job].takes(engine: identity) else { return identity == nil ? .fenced : .unlike }
        shard.state = .done
        shard.samplesDone = publication.samples
        shard.tokensDone = publication.tokens
        shard.endedAt = now
        shard.reason = nil
        shard.result = ShardResult(
            key: claimed.key, range: shard.range, epoch: shard.epoch, incarnation: claim.incarnation,
            publication: publication, worker: claim.worker, committedAt: now)
        jobs[place.job].shards[place.shard] = shard
        projects[jobs[place.job].project]?.uncharged += publication.seconds
        return .committed
    }

    /// This claim can't be committed any more.
    func isSuperseded(_ claimed: ClaimedShard) -> Bool {
        guard let place = place(of: claimed.key, epoch: claimed.epoch, incarnation: claimed.incarnation) else {
            return true
        }
        return ![.ready, .running, .held, .done].contains(jobs[place.job].shards[place.shard].state)
    }

    /// - Parameter jitter: From 0 to 1: the part of the longest wait that is waited.
    mutating func fail(
        _ claimed: ClaimedShard, _ failure: ShardFailure, jitter: Double, now: Date
    ) -> FailureOutcome {
        let failure = failure.normalized
        guard let place = place(of: claimed.key, epoch: claimed.epoch, incarnation: claimed.incarnation),
            jobs[place.job].shards[place.shard].state == .running
        else { return .fenced }
        log(place, .failed, error: failure.message, seconds: failure.seconds, now: now)
        var shard = jobs[place.job].shards[place.shard]
        defer { jobs[place.job].shards[place.shard] = shard }
        let wait = Backoff.limit(failures: shard.failures) * jitter
        shard.failures += 1
        shard.samplesDone = 0
        shard.tokensDone = 0
        if jobs[place.job].isCancelled {
            shard.cancel(jobs[place.job].cancelReason, now: now)
            return .cancelled
        }
        let others = workers.indices.contains { index in
            workers[index].state == .live && !workers[index].isDraining && workers[index].suits(jobs[place.job])
                && WorkerID(Int64(index) + 1) != claimed.worker
        }
        // Failures of one worker alone count half where others could try: its node may be what is wrong.
        let isAlone =
            others
            && !(attempts[jobs[place.job].id.number] ?? []).contains {
                $0.key == claimed.key && $0.outcome == .failed && $0.worker != claimed.worker
            }
        let limit = jobs[place.job].submission.maxAttempts * (isAlone ? 2 : 1)
        if failure.isPermanent || shard.failures >= limit {
            shard.state = .failed
            shard.reason = failure.message
            shard.endedAt = now
            holdAfterFailure(of: place)
            return .failed
        }
        shard.state = .blocked
        shard.notBefore = now + wait
        shard.avoids = others ? (claimed.worker, now + wait + Backoff.avoidance) : nil
        return .retry(after: .seconds(wait))
    }

    mutating func fixWait(of shard: ShardKey, until time: Date) {
        guard let place = place(of: shard), jobs[place.job].shards[place.shard].state == .blocked else { return }
        jobs[place.job].shards[place.shard].notBefore = time
        jobs[place.job].shards[place.shard].avoids?.until = time + Backoff.avoidance
    }

    /// Holds a job that has one failed shard too many; the one that just failed is not in its place yet.
    private mutating func holdAfterFailure(of place: (job: Int, shard: Int)) {
        guard let limit = jobs[place.job].submission.maxFailures, jobs[place.job].gate == .open else { return }
        let failed = 1 + jobs[place.job].shards.count { $0.state == .failed }
        guard failed > limit else { return }
        jobs[place.job].gate = .held
        jobs[place.job].gateReason = "\(failed) shards failed, max_failures is \(limit)"
    }

    mutating func release(_ claimed: [ClaimedShard], note: String?, now: Date) -> [ShardKey] {
        var released: [ShardKey] = []
        for claim in claimed {
            guard let place = place(of: claim.key, epoch: claim.epoch, incarnation: claim.incarnation),
                jobs[place.job].shards[place.shard].state == .running
            else { continue }
            giveBack(place, note: note, now: now)
            released.append(claim.key)
        }
        return released.sorted()
    }

    /// Makes a running shard claimable again, with its epoch unchanged.
    mutating func giveBack(_ place: (job: Int, shard: Int), note: String?, now: Date) {
        let isCancelled = jobs[place.job].isCancelled
        log(place, isCancelled ? .cancelled : .released, error: note, seconds: nil, now: now)
        restart(place, now: now)
    }

    /// What becomes of a shard that runs no longer and has no result.
    mutating func restart(_ place: (job: Int, shard: Int), now: Date) {
        guard !jobs[place.job].isCancelled else {
            jobs[place.job].shards[place.shard].cancel(jobs[place.job].cancelReason, now: now)
            return
        }
        jobs[place.job].shards[place.shard].state = .ready
        jobs[place.job].shards[place.shard].samplesDone = 0
        jobs[place.job].shards[place.shard].tokensDone = 0
    }
}
