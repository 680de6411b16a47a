public import FoundationEssentials

/// What any process does for the queue now and then.
///
/// Each chore is one bounded statement that fails by itself; claims and commits depend on none of them.
public enum Chore: String, Sendable, Hashable, CaseIterable, Encodable {
    /// Declares workers dead whose lease ran out, and takes their shards back.
    case workers
    /// Adds what changed to the counts of jobs.
    case tallies
    /// Opens the gates of jobs whose dependencies have ended.
    case gates
    /// Marks the shards of jobs that were cancelled.
    case cancellations
    /// Charges device time to projects.
    case charges
    /// Makes shards ready whose backoff is over.
    case promotion
    /// Has jobs claimed again of which something is ready although claims pass them by.
    case mending
    /// Moves what archived runs have out of the tables that claims work in.
    case archive
    /// Counts tables that have grown, for the planner.
    case statistics
    /// Forgets workers that left long ago and never claimed anything.
    case departures
}

/// When a chore was done last, and how that went.
public struct ChoreRecord: Sendable, Hashable, Encodable {
    public var chore: Chore
    /// How often it is due.
    public var interval: Duration
    public var succeededAt: Date?
    /// How long it took then.
    public var seconds: Double?
    /// When it failed, unless it has succeeded since.
    public var failedAt: Date?
    public var error: String?

    public init(
        chore: Chore, interval: Duration, succeededAt: Date? = nil, seconds: Double? = nil, failedAt: Date? = nil,
        error: String? = nil
    ) {
        self.chore = chore
        self.interval = interval
        self.succeededAt = succeededAt
        self.seconds = seconds
        self.failedAt = failedAt
        self.error = error
    }
}

/// What a chore came to.
public struct ChoreOutcome: Sendable, Hashable {
    public var report: ReapReport
    /// How many rows it changed, of whatever kind; zero when nothing was to be done.
    public var changed: Int

    public init(report: ReapReport = ReapReport(), changed: Int = 0) {
        self.report = report
        self.changed = changed
    }
}

extension WorkQueue {
    /// Does every chore now, whether it is due or not; one that fails takes none of the others with it.
    ///
    /// - Throws: What the first one that failed threw, once the others are done.
    @discardableResult
    public func reap() async throws(QueueError) -> ReapReport {
        var report = ReapReport()
        var failure: QueueError?
        for chore in Chore.allCases {
            do throws(QueueError) {
                guard let outcome = try await run(chore, isForced: true) else { continue }
                report.add(outcome.report)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return report
    }

    /// Makes blocked shards ready whose time has come, and answers how many.
    @discardableResult
    public func promote() async throws(QueueError) -> Int {
        try await run(.promotion, isForced: true)?.report.promoted ?? 0
    }
}

extension ReapReport {
    mutating func add(_ other: ReapReport) {
        workers += other.workers
        requeued += other.requeued
        held += other.held
        promoted += other.promoted
    }
}
