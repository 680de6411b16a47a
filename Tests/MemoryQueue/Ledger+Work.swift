package import FoundationEssentials
package import JobQueue

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// How claims weigh projects against each other; the SQL function claim_shards has the same numbers.
enum FairShare {
    /// After this time, used device time counts half.
    static let halfLife: Double = 604_800
    /// What a running shard counts until it ends.
    static let horizon: Double = 600
    /// What loading a model is taken to cost.
    static let loadSeconds: Double = 60
    /// Loading times that a warm model is worth.
    static let warmFactor: Double = 10
    /// How long a worker may prefer its warm model.
    static let warmLimit: Double = 1200
    /// After this time, in seconds, an idle worker may take over what another one has fetched and not begun.
    static let fetched: Double = 2
}

extension Ledger {
    package mutating func claim(_ lease: WorkerLease, _ request: ClaimRequest, now: Date) throws(QueueError)
        -> [ClaimedShard]
    {
        try QueueError.check(claimLimit: request.limit)
        guard let worker = index(of: lease.worker), workers[worker].incarnation == lease.incarnation,
            workers[worker].state == .live
        else {
            throw QueueError.leaseLost(lease.worker)
        }
        guard !workers[worker].isDraining else { return [] }
        promote(now: now)
        guard let job = nextJob(for: lease.worker, workers[worker], request, now: now) else {
            return request.isPrefetch || request.above != nil ? [] : takeOver(lease, workers[worker], request, now: now)
        }
        let name = jobs[job].project
        let room = (projects[name]?.hardCap ?? .max) - runningShards(of: name)
        let limit = min(request.limit, room)

        let model = jobs[job].submission.modelSHA256
        if workers[worker].warmModels != [model] || !isWarm(workers[worker], now: now) {
            workers[worker].warmModels = [model]
            workers[worker].warmSince = now
        }
        var claimed: [ClaimedShard] = []
        for shard in jobs[job].shards.indices
        where jobs[job].shards[shard].isReady(for: lease.worker, now: now) && claimed.count < limit {
            claimed.append(take((job, shard), lease, isBegun: !request.isPrefetch, now: now))
        }
        return claimed
    }

    /// A shard that another worker has fetched and not begun, for one that gets nothing else.
    private mutating func takeOver(
        _ lease: WorkerLease, _ worker: Worker, _ request: ClaimRequest, now: Date
    ) -> [ClaimedShard] {
        let fetched = running.filter { place in
            let job = jobs[place.job]
            return !job.shards[place.shard].isBegun && now.timeIntervalSince(place.claim.startedAt) > FairShare.fetched
                && place.claim.worker != lease.worker && !job.isCancelled && job.gate == .open && worker.suits(job)
                && (request.run == nil || job.id.run == request.run)
                && !request.excludes(job.id, model: job.submission.model, sha256: job.submission.modelSHA256)
        }
        guard let place = fetched.min(by: { $0.claim.startedAt < $1.claim.startedAt }) else { return [] }
        log((place.job, place.shard), .released, error: QueueNote.takenOver, seconds: nil, now: now)
        return [take((place.job, place.shard), lease, isBegun: true, now: now)]
    }

    package mutating func begin(_ claimed: [ClaimedShard]) -> [ShardKey] {
        var begun: [ShardKey] = []
        for claim in claimed {
            guard let place = place(of: claim.key, epoch: claim.epoch, incarnation: claim.incarnation),
                jobs[place.job].shards[place.shard].state == .running
            else { continue }
            jobs[place.job].shards[place.shard].isBegun = true
            begun.append(claim.key)
        }
        return begun.sorted()
    }

    private func isWarm(_ worker: Worker, now: Date) -> Bool {
        now.timeIntervalSince(worker.warmSince) < FairShare.warmLimit
    }

    /// The job whose turn it is, of those that have something ready and that the worker can run.
    private func nextJob(for id: WorkerID, _ worker: Worker, _ request: ClaimRequest, now: Date) -> Int? {
        let load = loads(now: now)
        let running = Dictionary(uniqueKeysWithValues: projects.keys.map { ($0, runningShards(of: $0)) })
        func isOver(_ cap: Int?, _ project: String) -> Bool { (running[project] ?? 0) >= cap ?? .max }
        let warm = isWarm(worker, now: now) ? worker.warmModels : []
        func rank(_ job: Job) -> (Int, Int, Double, Int64) {
            let isWarm = warm.contains(job.submission.modelSHA256)
            let bonus = isWarm ? FairShare.loadSeconds * FairShare.warmFactor : 0
            return (
                isOver(projects[job.project]?.softCap, job.project) ? 1 : 0, -job.priority.rawValue,
                (load[job.project] ?? 0) - bonus, job.id.number
            )
        }
        return jobs.indices
            .filter { index in
                let job = jobs[index]
                return (request.run == nil || job.id.run == request.run) && job.gate == .open
                    && request.above.map { job.priority > $0 } ?? true
                    && !request.excludes(job.id, model: job.submission.model, sha256: job.submission.modelSHA256)
                    && !isOver(projects[job.project]?.hardCap, job.project)
                    && worker.suits(job) && job.shards.contains { $0.isReady(for: id, now: now) }
            }
            .min { rank(jobs[$0]) < rank(jobs[$1]) }
    }

    func runningShards(of project: String) -> Int {
        running.count { jobs[$0.job].project == project }
    }

    /// Each project's decayed device time and its running shards, over its weight.
    private func loads(now: Date) -> [String: Double] {
        var shards: [String: Double] = [:]
        for place in running {
            shards[jobs[place.job].project, default: 0] += 1
        }
        return Dictionary(
            uniqueKeysWithValues: projects.map { name, project in
                (name, (project.used(at: now) + (shards[name] ?? 0) * FairShare.horizon) / project.weight)
            })
    }

    private mutating func take(
        _ place: (job: Int, shard: Int), _ lease: WorkerLease, isBegun: Bool, now: Date
    ) -> ClaimedShard {
        let job = jobs[place.job]
        var shard = job.shards[place.shard]
        shard.state = .running
        shard.epoch = Epoch(shard.epoch.rawValue + 1)
        shard.claim = Claim(worker: lease.worker, incarnation: lease.incarnation, startedAt: now)
        shard.samplesDone = 0
        shard.tokensDone = 0
        shard.isBegun = isBegun
        jobs[place.job].shards[place.shard] = shard
        return ClaimedShard(
            key: ShardKey(job: job.id, index: place.shard), worker: lease.worker, epoch: shard.epoch,
            incarnation: lease.incarnation, range: shard.range, attempt: shard.failures + 1,
            maxAttempts: job.submission.maxAttempts, priority: job.priority, task: job.submission.task,
            model: job.submission.model,
            modelSHA256: job.submission.modelSHA256, specification: job.submission.specification,
            secondsPerSample: pace(of: job)?.secondsPerSample)
    }
}

extension Ledger.Shard {
    func isReady(for worker: WorkerID, now: Date) -> Bool {
        state == .ready && (avoids.map { $0.worker != worker || $0.until <= now } ?? true)
    }
}

extension Ledger.Project {
    /// The device time that still counts.
    func used(at now: Date) -> Double {
        usedSeconds * exp2(-now.timeIntervalSince(usedAt) / FairShare.halfLife)
    }

    /// Charges what has come together since the last time.
    mutating func charge(now: Date) {
        guard uncharged > 0 else { return }
        usedSeconds = used(at: now) + uncharged
        usedAt = now
        uncharged = 0
    }
}

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
    package mutating func commit(_ results: [ShardCommit], now: Date) throws(QueueError) -> [CommitOutcome] {
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
    package func isSuperseded(_ claimed: ClaimedShard) -> Bool {
        guard let place = place(of: claimed.key, epoch: claimed.epoch, incarnation: claimed.incarnation) else {
            return true
        }
        return ![.ready, .running, .held, .done].contains(jobs[place.job].shards[place.shard].state)
    }

    /// - Parameter jitter: From 0 to 1: the part of the longest wait that is waited.
    package mutating func fail(
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

    package mutating func release(_ claimed: [ClaimedShard], note: String?, now: Date) -> [ShardKey] {
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

/// So many losses of one shard make it suspect; the SQL function reap_workers has the same number.
let poisonLosses = 3

extension Ledger {
    package mutating func register(
        _ description: WorkerDescription, ttl: Duration, incarnation: Incarnation, now: Date
    ) throws(QueueError) -> WorkerLease {
        try description.validate(ttl: ttl)
        workers.append(
            Worker(
                description: description, incarnation: incarnation, ttl: ttl, registeredAt: now, seenAt: now,
                leaseUntil: now + ttl.inSeconds, warmModels: description.warmModels, warmSince: now))
        return WorkerLease(worker: WorkerID(Int64(workers.count)), incarnation: incarnation, ttl: ttl)
    }

    package mutating func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?, now: Date
    ) throws(QueueError) -> HeartbeatReply {
        guard let worker = index(of: lease.worker), workers[worker].incarnation == lease.incarnation,
            workers[worker].state == .live
        else {
            throw QueueError.leaseLost(lease.worker)
        }
        let ttl = workers[worker].ttl
        workers[worker].seenAt = now
        workers[worker].note = note
        workers[worker].leaseUntil = now + ttl.inSeconds
        var reply = HeartbeatReply(ttl: ttl, isDrainRequested: workers[worker].isDraining)

        for report in holding.map(\.normalized) {
            let place = place(of: report.key, epoch: report.epoch, incarnation: lease.incarnation)
            guard let place, [.running, .done].contains(jobs[place.job].shards[place.shard].state) else {
                reply.lost.append(report.key)
                continue
            }
            guard jobs[place.job].shards[place.shard].state == .running else { continue }
            jobs[place.job].shards[place.shard].samplesDone =
                min(report.samples, jobs[place.job].shards[place.shard].range.rowCount)
            jobs[place.job].shards[place.shard].tokensDone = report.tokens
            if jobs[place.job].isCancelled {
                reply.cancelled.append(report.key)
            }
        }
        let known = Set(holding.map { HeldEpoch(key: $0.key, epoch: $0.epoch) })
        for place in running where place.claim.incarnation == lease.incarnation {
            let key = ShardKey(job: jobs[place.job].id, index: place.shard)
            let epoch = jobs[place.job].shards[place.shard].epoch
            let isOld = now.timeIntervalSince(place.claim.startedAt) > ttl.inSeconds / 2
            guard isOld, !known.contains(HeldEpoch(key: key, epoch: epoch)) else { continue }
            giveBack((place.job, place.shard), note: QueueNote.unknownClaim, now: now)
            reply.orphaned.append(key)
        }
        reply.lost.sort()
        reply.cancelled.sort()
        reply.orphaned.sort()
        return reply
    }

    package mutating func deregister(_ lease: WorkerLease, note: String?, now: Date) {
        guard let worker = index(of: lease.worker), workers[worker].incarnation == lease.incarnation else { return }
        if workers[worker].state == .live {
            workers[worker].state = .left
            workers[worker].note = note
            workers[worker].endedAt = now
        }
        for place in running where place.claim.incarnation == lease.incarnation {
            giveBack(
                (place.job, place.shard), note: note.map { "the worker left: \($0)" } ?? QueueNote.left, now: now)
        }
    }

    package mutating func run(_ chore: Chore, now: Date) -> ChoreOutcome {
        switch chore {
        case .workers:
            let report = reapWorkers(now: now)
            return ChoreOutcome(report: report, changed: report.workers + report.requeued + report.held)
        case .gates:
            openGates(now: now)
        case .charges:
            for name in projects.keys {
                projects[name]?.charge(now: now)
            }
        case .promotion:
            let promoted = promote(now: now)
            return ChoreOutcome(report: ReapReport(promoted: promoted), changed: promoted)
        case .tallies, .cancellations, .mending, .archive, .statistics, .departures:
            // Nothing of this is put off here.
            break
        }
        return ChoreOutcome()
    }

    private mutating func reapWorkers(now: Date) -> ReapReport {
        var report = ReapReport()
        for worker in workers.indices where workers[worker].state == .live && workers[worker].leaseUntil < now {
            workers[worker].state = .dead
            workers[worker].endedAt = now
            report.workers += 1
        }
        for place in running {
            guard let worker = index(of: place.claim.worker), workers[worker].state != .live else { continue }
            lose((place.job, place.shard), now: now, &report)
        }
        return report
    }

    private mutating func lose(_ place: (job: Int, shard: Int), now: Date, _ report: inout ReapReport) {
        log(place, .lost, error: "the worker's lease ran out", seconds: nil, now: now)
        let isCancelled = jobs[place.job].isCancelled
        // A shard that was only fetched is under no suspicion.
        let wasBegun = jobs[place.job].shards[place.shard].isBegun
        jobs[place.job].shards[place.shard].losses += wasBegun ? 1 : 0
        restart(place, now: now)
        let losses = jobs[place.job].shards[place.shard].losses
        if isCancelled {
            return
        }
        guard wasBegun, losses >= poisonLosses else {
            report.requeued += 1
            return
        }
        jobs[place.job].shards[place.shard].state = .held
        jobs[place.job].shards[place.shard].endedAt = now
        jobs[place.job].shards[place.shard].reason =
            "suspected poison: \(losses) workers died while they had this shard"
        report.held += 1
    }

    @discardableResult
    mutating func promote(now: Date) -> Int {
        var count = 0
        for job in jobs.indices {
            for shard in jobs[job].shards.indices where jobs[job].shards[shard].state == .blocked {
                guard let notBefore = jobs[job].shards[shard].notBefore,
                    // Nobody waits for so long: the clock was set back.
                    notBefore <= now || notBefore > now + 660
                else { continue }
                jobs[job].shards[shard].state = .ready
                jobs[job].shards[shard].notBefore = nil
                count += 1
            }
        }
        return count
    }

    package mutating func drain(_ worker: WorkerID) throws(QueueError) {
        guard let index = index(of: worker), workers[index].state == .live else {
            throw QueueError.workerNotFound(worker)
        }
        workers[index].isDraining = true
    }
}

private struct HeldEpoch: Hashable {
    var key: ShardKey
    var epoch: Epoch
}

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
