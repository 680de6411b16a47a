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
