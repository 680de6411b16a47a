/// The queue: runs come in, workers take shards and commit results, people look.
///
/// Both implementations pass the same conformance suite. All times are the queue's own clock.
public protocol JobQueue:
    WorkQueue, RunRegistry, JobOperations, ProjectRegistry, ModelRegistry, DataSetRegistry, ScheduleRegistry,
    StoreRegistry
{}

/// The workers' side of the queue.
public protocol WorkQueue: Sendable {
    /// Registers a worker's process; its lease runs from now on.
    func register(_ description: WorkerDescription, ttl: Duration) async throws(QueueError) -> WorkerLease

    /// Takes shards of one job, the one whose turn it is among those that the worker can run.
    ///
    /// - Returns: Nothing when there is nothing to do, or the worker is to drain.
    /// - Throws: `leaseLost` when the worker was declared dead.
    func claim(_ lease: WorkerLease, _ request: ClaimRequest) async throws(QueueError) -> [ClaimedShard]

    /// Says that the computation of shards begins that were fetched ahead.
    ///
    /// - Returns: Those that are still this worker's; an idle worker may have taken the others over.
    func begin(_ claimed: [ClaimedShard]) async throws(QueueError) -> [ShardKey]

    /// Renews the lease, reports progress and compares what the worker holds with what the queue thinks.
    ///
    /// A lease that ran out is renewed too as long as nobody has declared the worker dead.
    /// - Parameter note: What is wrong with the worker, for people; nil when nothing is.
    /// - Throws: `leaseLost` when the worker was declared dead: everything that it holds belongs to others.
    func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?
    ) async throws(QueueError) -> HeartbeatReply

    /// Makes published results visible, durably, each one if its shard is still its claim's.
    ///
    /// A result that comes late is accepted too as long as nobody else has claimed the shard. The first one of a job fixes
    /// its engine: others are refused as `unlike`, unless the job may have several.
    /// - Returns: An outcome for each, in order; they share one flush to disk, not one fate.
    func commit(_ results: [ShardCommit]) async throws(QueueError) -> [CommitOutcome]

    /// Those of `claimed` that can't be committed any more, because somebody else has claimed the shard since, or it was
    /// cancelled.
    func supersededClaims(among claimed: [ClaimedShard]) async throws(QueueError) -> [ClaimedShard]

    /// Results of other jobs that do the same work, on the worker's engine, and that share rows with the claimed shard; of
    /// the newest jobs first, 1000 at most, and none of archived runs.
    func equalResults(of shard: ClaimedShard) async throws(QueueError) -> [EqualResult]

    /// Records a failed attempt and decides what becomes of the shard.
    func fail(_ claimed: ClaimedShard, _ failure: ShardFailure) async throws(QueueError) -> FailureOutcome

    /// Gives shards back that were not computed; burns no attempt.
    ///
    /// - Parameter note: Why, where that is of use to those who look at the job.
    /// - Returns: The shards that were still this worker's.
    @discardableResult
    func release(_ claimed: [ClaimedShard], note: String?) async throws(QueueError) -> [ShardKey]

    /// Gives back all that the worker still has and ends its lease.
    ///
    /// - Parameter note: Why it leaves, where nobody asked it to.
    func deregister(_ lease: WorkerLease, note: String?) async throws(QueueError)

    /// The chores that nobody has done for as long as they may wait.
    func dueChores() async throws(QueueError) -> [Chore]

    /// Does a chore if it is due and nobody else is at it; any process may, at any time.
    ///
    /// - Parameter isForced: Do it even if it is not due, and wait for another process that is doing it.
    /// - Returns: Nil when it was not done.
    @discardableResult
    func run(_ chore: Chore, isForced: Bool) async throws(QueueError) -> ChoreOutcome?

    /// All chores, and how they went last.
    func chores() async throws(QueueError) -> [ChoreRecord]

    /// Asks a worker to finish what it holds and to leave.
    func drain(_ worker: WorkerID) async throws(QueueError)

    /// Workers that are alive, and those that ended within the last day, newest first.
    func workers() async throws(QueueError) -> [WorkerRecord]

    /// Shards of a run, or of all, that are blocked, ready or running; what is held back by a person is not open.
    func openShardCount(run: RunID?) async throws(QueueError) -> Int

    /// Wakes whenever something was submitted, and now and then without a reason: look for work on each.
    ///
    /// Ends when its consumer stops; errors of the connection only slow it down to polling.
    func submissions() async -> AsyncStream<Void>
}

extension WorkQueue {
    public func register(_ description: WorkerDescription) async throws(QueueError) -> WorkerLease {
        try await register(description, ttl: WorkerLease.defaultTTL)
    }

    public func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress]
    ) async throws(QueueError) -> HeartbeatReply {
        try await heartbeat(lease, holding: holding, note: nil)
    }

    public func deregister(_ lease: WorkerLease) async throws(QueueError) {
        try await deregister(lease, note: nil)
    }

    @discardableResult
    public func release(_ claimed: [ClaimedShard]) async throws(QueueError) -> [ShardKey] {
        try await release(claimed, note: nil)
    }

    public func claim(
        _ lease: WorkerLease, limit: Int, run: RunID? = nil
    ) async throws(QueueError) -> [ClaimedShard] {
        try await claim(lease, ClaimRequest(limit: limit, run: run))
    }

    public func commit(
        _ claimed: ClaimedShard, _ publication: ShardPublication
    ) async throws(QueueError) -> CommitOutcome {
        try await commit([ShardCommit(claimed, publication)])[0]
    }
}

/// Runs, jobs and shards, as people and reports see them.
public protocol RunRegistry: Sendable {
    /// Stores a run with all its jobs and shards, or nothing.
    ///
    /// The same submission again answers the run that exists already.
    /// - Throws: `conflict` when another submission has this identifier, `invalid` when it does not hold together.
    @discardableResult
    func submit(_ submission: RunSubmission) async throws(QueueError) -> RunRecord

    /// Throws what submitting this would throw now, and stores nothing.
    func checkSubmission(_ submission: RunSubmission) async throws(QueueError)

    /// The newest runs first.
    ///
    /// - Parameter project: Only this project's; nil for all.
    func runs(limit: Int, project: String?) async throws(QueueError) -> [RunRecord]

    /// The one run whose identifier starts with `prefix`.
    ///
    /// - Throws: `notFound`; `ambiguous` with the candidates; `invalid` when it can't be an identifier.
    func run(matching prefix: String) async throws(QueueError) -> RunRecord

    /// A run's jobs in order.
    func jobs(of run: RunID) async throws(QueueError) -> [JobRecord]

    /// The one job that "<run or its prefix>.<ordinal>" names.
    func job(matching name: String) async throws(QueueError) -> JobRecord

    /// The run's specification as submitted.
    func specification(of run: RunID) async throws(QueueError) -> String

    /// The job's specification as submitted.
    func specification(of job: JobID) async throws(QueueError) -> String

    /// A job's shards in order.
    func shards(of job: JobID) async throws(QueueError) -> [ShardRecord]

    /// A job's attempts by shard and epoch, the running ones too.
    func attempts(of job: JobID) async throws(QueueError) -> [AttemptRecord]

    /// The latest attempts of a run that ended with an error, at most `limit`, the last one last.
    func troubles(of run: RunID, limit: Int) async throws(QueueError) -> [AttemptRecord]

    /// A job's committed results in the order of its shards.
    func results(of job: JobID) async throws(QueueError) -> [ShardResult]
}

/// Models by name.
public protocol ModelRegistry: Sendable {
    /// Adds a model; the same name with the same content again changes nothing.
    ///
    /// - Parameter replacing: Let the name mean the new file from now on; jobs submitted before keep theirs.
    /// - Throws: `conflict` when the name stands for another file.
    @discardableResult
    func addModel(_ model: ModelRecord, replacing: Bool) async throws(QueueError) -> ModelRecord

    /// All models by name.
    func models() async throws(QueueError) -> [ModelRecord]

    /// The model of this name.
    ///
    /// - Throws: `notFound` with the names that exist.
    func model(named name: String) async throws(QueueError) -> ModelRecord
}

extension ModelRegistry {
    @discardableResult
    public func addModel(_ model: ModelRecord) async throws(QueueError) -> ModelRecord {
        try await addModel(model, replacing: false)
    }
}

/// What people do with work that is in the queue already.
public protocol JobOperations: Sendable {
    /// Cancels what is not running yet, and tells workers of the rest at their next heartbeat.
    ///
    /// - Returns: How many shards were cancelled at once.
    @discardableResult
    func cancel(_ work: WorkTarget) async throws(QueueError) -> Int

    /// Keeps everything that is not running yet from being claimed, until it is released; what runs goes on.
    ///
    /// - Parameter reason: For people: who and why.
    /// - Returns: How many jobs were held.
    @discardableResult
    func hold(_ work: WorkTarget, reason: String) async throws(QueueError) -> Int

    /// Lets held jobs and held shards be claimed again; dependencies still count.
    ///
    /// - Returns: How many jobs and shards were released.
    @discardableResult
    func release(_ work: WorkTarget) async throws(QueueError) -> Int

    /// Has what ended without a result tried again, attempts counted from the beginning; results stay as they are, and where
    /// there are none the next one may come from any engine.
    ///
    /// - Parameter onlyFailed: Only failed shards, and not those that were cancelled or held.
    /// - Returns: How many shards are ready again.
    @discardableResult
    func retry(_ work: WorkTarget, onlyFailed: Bool) async throws(QueueError) -> Int

    /// Lets jobs be finished by other engines than the one that began them, where they are not finished.
    ///
    /// - Returns: How many jobs may have several engines from now on.
    @discardableResult
    func mixEngines(of work: WorkTarget) async throws(QueueError) -> Int

    /// Moves work to another tier.
    ///
    /// - Returns: How many jobs changed.
    @discardableResult
    func setPriority(_ priority: Priority, of work: WorkTarget) async throws(QueueError) -> Int

    /// What is known of a run's jobs, or of one job, that bears on whether they run; in the order of the jobs.
    func facts(of work: WorkTarget) async throws(QueueError) -> [JobFacts]

    /// What is left of a run and how long that takes at the usual pace.
    func outlook(of run: RunID) async throws(QueueError) -> RunOutlook

    /// Moves the shards of runs that ended at least so long ago out of the tables that claims work in.
    ///
    /// Nothing is lost: everything can be read as before, but no longer be retried.
    /// - Returns: How many runs were moved, `limit` at most.
    @discardableResult
    func archive(olderThan age: Duration, limit: Int) async throws(QueueError) -> Int
}

extension JobOperations {
    /// What is known of a job that bears on whether it runs.
    public func facts(of job: JobID) async throws(QueueError) -> JobFacts {
        guard let facts = try await facts(of: .job(job)).first else {
            throw QueueError.jobNotFound(job.name)
        }
        return facts
    }
}

extension JobOperations where Self: RunRegistry {
    /// Cancels a whole run, and answers it as it is then.
    @discardableResult
    public func cancel(_ run: RunID) async throws(QueueError) -> RunRecord {
        try await cancel(.run(run))
        return try await self.run(matching: run.text)
    }

    /// What somebody means who types "<run>" or "<run>.<ordinal>", or the beginning of a run's id instead of it.
    public func work(matching typed: String) async throws(QueueError) -> WorkTarget {
        typed.contains(".") ? .job(try await job(matching: typed).id) : .run(try await run(matching: typed).id)
    }
}

/// A whole run, or one job of it.
public enum WorkTarget: Sendable, Hashable, CustomStringConvertible {
    case run(RunID)
    case job(JobID)

    public var run: RunID {
        switch self {
        case .run(let run): run
        case .job(let job): job.run
        }
    }

    /// The job's place in its run; nil for the whole run.
    public var ordinal: Int? {
        switch self {
        case .run: nil
        case .job(let job): job.ordinal
        }
    }

    public var description: String {
        switch self {
        case .run(let run): "run \(run)"
        case .job(let job): "job \(job)"
        }
    }
}

/// A run and those of its jobs that somebody named: all of them, or one.
public struct RunSelection: Sendable {
    public let run: RunRecord
    public let jobs: [JobRecord]

    /// - Parameter id: A run or job by any unique prefix; a job's has a period in it.
    public init(_ id: String, in queue: any RunRegistry) async throws(QueueError) {
        if id.contains(".") {
            let job = try await queue.job(matching: id)
            self.jobs = [job]
            self.run = try await queue.run(matching: job.id.run.description)
        } else {
            self.run = try await queue.run(matching: id)
            self.jobs = try await queue.jobs(of: self.run.id)
        }
    }
}

/// Labels that mean something to Assay itself.
public enum WorkerLabel {
    /// The worker runs programs that models write, in a sandbox.
    public static let runsCode = "run_code"
    /// The worker reads templates, data and tokens by the rules of this release.
    ///
    /// Jobs ask for it, so that a worker of another release never computes them by its own rules. It gets another number
    /// whenever a rule changes by which prompts, tokens or scores become others.
    public static let rules = "assay:rules-2"
    /// Begins labels that nobody can give.
    public static let reservedPrefix = "assay:"

    /// Those that say something to people: without the rules of this release.
    public static func shown(_ labels: [String]) -> [String] { labels.filter { $0 != Self.rules } }
}
