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
}

extension Ledger {
    mutating func claim(_ lease: WorkerLease, _ request: ClaimRequest, now: Date) throws(QueueError) -> [ClaimedShard] {
        try check(claimLimit: request.limit)
        guard let worker = index(of: lease.worker), workers[worker].incarnation == lease.incarnation,
            workers[worker].state == .live, workers[worker].leaseUntil > now
        else {
            throw QueueError.leaseLost(lease.worker)
        }
        guard !workers[worker].isDraining else { return [] }
        promote(now: now)
        guard let job = nextJob(for: workers[worker], request, now: now) else { return [] }
        let name = jobs[job].project
        let room = (projects[name]?.hardCap ?? .max) - runningShards(of: name)
        let limit = min(request.limit, room)

        let model = jobs[job].submission.modelSHA256
        if workers[worker].warmModels != [model] || !isWarm(workers[worker], now: now) {
            workers[worker].warmModels = [model]
            workers[worker].warmSince = now
        }
        var claimed: [ClaimedShard] = []
        for shard in jobs[job].shards.indices where jobs[job].shards[shard].state == .ready && claimed.count < limit {
            claimed.append(take((job, shard), lease, now: now))
        }
        return claimed
    }

    private func isWarm(_ worker: Worker, now: Date) -> Bool {
        now.timeIntervalSince(worker.warmSince) < FairShare.warmLimit
    }

    /// The job whose turn it is, of those that have something ready and that the worker can run.
    private func nextJob(for worker: Worker, _ request: ClaimRequest, now: Date) -> Int? {
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
                    && !isOver(projects[job.project]?.hardCap, job.project)
                    && worker.suits(job) && job.shards.contains { $0.state == .ready }
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

    private mutating func take(_ place: (job: Int, shard: Int), _ lease: WorkerLease, now: Date) -> ClaimedShard {
        let job = jobs[place.job]
        var shard = job.shards[place.shard]
        shard.state = .running
        shard.epoch = Epoch(shard.epoch.rawValue + 1)
        shard.claim = Claim(worker: lease.worker, incarnation: lease.incarnation, startedAt: now)
        shard.samplesDone = 0
        shard.tokensDone = 0
        jobs[place.job].shards[place.shard] = shard
        return ClaimedShard(
            key: ShardKey(job: job.id, index: place.shard), worker: lease.worker, epoch: shard.epoch,
            incarnation: lease.incarnation, range: shard.range, attempt: shard.failures + 1,
            maxAttempts: job.submission.maxAttempts, priority: job.priority, task: job.submission.task,
            model: job.submission.model,
            modelSHA256: job.submission.modelSHA256, specification: job.submission.specification)
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
