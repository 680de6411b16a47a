import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
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
    mutating func claim(_ lease: WorkerLease, _ request: ClaimRequest, now: Date) throws(QueueError) -> [ClaimedShard] {
        try check(claimLimit: request.limit)
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

    mutating func begin(_ claimed: [ClaimedShard]) -> [ShardKey] {
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
