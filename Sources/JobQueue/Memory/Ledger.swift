import FoundationEssentials

/// The queue as a value: what the tables hold, and what may be done with them.
///
/// No clock, no chance, no concurrency: time and jitter come as arguments.
struct Ledger: Sendable {
    struct Run: Sendable {
        var submission: RunSubmission
        var digest: String
        var jobs: [JobID]
        var submittedAt: Date
        var cancelledAt: Date?
        var archivedAt: Date?
    }

    struct Job: Sendable {
        var id: JobID
        var submission: JobSubmission
        var project: String
        var priority: Priority
        var isCancelled = false
        var cancelReason: String?
        var gate: JobGate = .open
        var gateReason: String?
        /// What it waits for, in the order of runs and jobs.
        var needs: [Need] = []
        /// What its first result came from.
        var engine: String?
        /// Its results may come from several engines.
        var isMixed = false
        var shards: [Shard]
    }

    struct Shard: Sendable {
        var range: ShardRange
        var state: ShardState = .ready
        var epoch = Epoch(0)
        var failures = 0
        var losses = 0
        var samplesDone = 0
        var tokensDone = 0
        var claim: Claim?
        var notBefore: Date?
        var endedAt: Date?
        var reason: String?
        var result: ShardResult?
        /// False while it was only fetched ahead.
        var isBegun = true
        /// The worker that failed it last, and until when others go first.
        var avoids: (worker: WorkerID, until: Date)?
    }

    /// A run that a job waits for, or one job of it.
    struct Need: Sendable {
        var run: RunID
        var ordinal: Int?
        var condition: JobDependency.Condition
        /// Met once, or of a job that does not wait any more.
        var isSettled = false

        /// What people call it.
        var name: String { ordinal.map { "\(run).\($0)" } ?? "run \(run)" }
    }

    /// Who claimed a shard last.
    struct Claim: Sendable {
        var worker: WorkerID
        var incarnation: Incarnation
        var startedAt: Date
    }

    struct Worker: Sendable {
        var description: WorkerDescription
        var incarnation: Incarnation
        var ttl: Duration
        var state: WorkerState = .live
        var isDraining = false
        var registeredAt: Date
        var seenAt: Date
        var leaseUntil: Date
        var endedAt: Date?
        var warmModels: [String]
        var warmSince: Date
        var note: String?
    }

    struct Project: Sendable {
        var weight: Double = 1
        var usedSeconds: Double = 0
        var usedAt: Date
        /// Device time that the next reaper charges.
        var uncharged: Double = 0
        var softCap: Int?
        var hardCap: Int?
        var ceiling: Priority?
    }

    /// A result that was taken out.
    struct Withdrawal: Sendable {
        var startedAt: Date
        var result: ShardResult
        var record: WithdrawnResult
    }

    var runs: [RunID: Run] = [:]
    /// The job with the number n stands at n - 1.
    var jobs: [Job] = []
    /// The worker with the number n stands at n - 1.
    var workers: [Worker] = []
    var projects: [String: Project] = [:]
    var attempts: [Int64: [AttemptRecord]] = [:]
    var models: [String: ModelRecord] = [:]
    var dataSets: [DataSetName: DataSetRecord] = [:]
    var schedules: [String: Schedule] = [:]
    var adoption: StoreAdoption?
    /// By the job's number.
    var withdrawn: [Int64: [Withdrawal]] = [:]
}

extension Ledger {
    /// Where a shard stands in `jobs` and in its job; nil for one that was never submitted.
    func place(of key: ShardKey) -> (job: Int, shard: Int)? {
        guard let job = index(of: key.job), jobs[job].shards.indices.contains(key.index) else { return nil }
        return (job, key.index)
    }

    func index(of job: JobID) -> Int? {
        guard let index = Int(exactly: job.number - 1), jobs.indices.contains(index), jobs[index].id == job else {
            return nil
        }
        return index
    }

    func index(of worker: WorkerID) -> Int? {
        guard let index = Int(exactly: worker.number - 1), workers.indices.contains(index) else { return nil }
        return index
    }

    /// Where the shard of this claim stands, if nobody else has claimed it since.
    func place(of key: ShardKey, epoch: Epoch, incarnation: Incarnation) -> (job: Int, shard: Int)? {
        guard let place = place(of: key) else { return nil }
        let shard = jobs[place.job].shards[place.shard]
        guard shard.epoch == epoch, shard.claim?.incarnation == incarnation else { return nil }
        return place
    }

    /// All shards in the state `running`.
    var running: [(job: Int, shard: Int, claim: Claim)] {
        jobs.indices.flatMap { job in
            jobs[job].shards.indices.compactMap { shard in
                guard jobs[job].shards[shard].state == .running, let claim = jobs[job].shards[shard].claim else {
                    return nil
                }
                return (job, shard, claim)
            }
        }
    }

    /// Writes down a claim that ended without a result.
    mutating func log(
        _ place: (job: Int, shard: Int), _ outcome: AttemptOutcome, error: String?, seconds: Double?, now: Date
    ) {
        let job = jobs[place.job]
        let shard = job.shards[place.shard]
        guard let claim = shard.claim, let worker = index(of: claim.worker) else { return }
        attempts[job.id.number, default: []].append(
            AttemptRecord(
                key: ShardKey(job: job.id, index: place.shard), epoch: shard.epoch, outcome: outcome, error: error,
                worker: claim.worker, host: workers[worker].description.host,
                device: workers[worker].description.device, startedAt: claim.startedAt, endedAt: now,
                seconds: seconds))
        projects[job.project]?.uncharged += seconds ?? 0
    }
}

/// What the queue itself says of claims that ended without a result, in PostgreSQL too; no worker said it.
enum QueueNote {
    static let takenOver = "an idle worker took it over"
    static let unknownClaim = "the worker does not know of this claim"
    static let left = "the worker left"

    static func isOwn(_ text: String) -> Bool { [self.takenOver, self.unknownClaim, self.left].contains(text) }
}
