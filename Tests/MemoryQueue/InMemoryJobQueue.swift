public import FoundationEssentials
public import JobQueue

/// A queue in this process's memory: for tests, and the model that the database is compared with.
public actor InMemoryJobQueue: JobQueue {
    private(set) var ledger = Ledger()
    private let now: @Sendable () -> Date
    private let jitter: @Sendable () -> Double
    private let pollInterval: Duration
    private var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
    private var lastListener = 0

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - pollInterval: How often `submissions()` wakes without a reason.
    ///   - jitter: The part of the longest backoff that is waited, from 0 to 1.
    ///   - now: The queue's clock.
    public init(
        pollInterval: Duration = .seconds(1), jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) },
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.now = now
        self.jitter = jitter
        self.pollInterval = pollInterval
    }
}

// MARK: - Work

extension InMemoryJobQueue {
    public func register(_ description: WorkerDescription, ttl: Duration) throws(QueueError) -> WorkerLease {
        try ledger.register(description, ttl: ttl, incarnation: .random(), now: now())
    }

    public func claim(_ lease: WorkerLease, _ request: ClaimRequest) throws(QueueError) -> [ClaimedShard] {
        try ledger.claim(lease, request, now: now())
    }

    public func begin(_ claimed: [ClaimedShard]) throws(QueueError) -> [ShardKey] {
        ledger.begin(claimed)
    }

    public func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?
    ) throws(QueueError) -> HeartbeatReply {
        try ledger.heartbeat(lease, holding: holding, note: note?.storableNote, now: now())
    }

    public func commit(_ results: [ShardCommit]) throws(QueueError) -> [CommitOutcome] {
        try ledger.commit(results, now: now())
    }

    public func supersededClaims(among claimed: [ClaimedShard]) throws(QueueError) -> [ClaimedShard] {
        claimed.filter { ledger.isSuperseded($0) }
    }

    public func equalResults(of shard: ClaimedShard) throws(QueueError) -> [EqualResult] {
        ledger.equalResults(of: shard)
    }

    public func fail(_ claimed: ClaimedShard, _ failure: ShardFailure) throws(QueueError) -> FailureOutcome {
        ledger.fail(claimed, failure, jitter: jitter(), now: now())
    }

    /// Has a shard that waits after a failure wait so long from now, whatever was drawn, as tests want it.
    func fixWait(of shard: ShardKey, to seconds: Double) {
        ledger.fixWait(of: shard, until: now() + seconds)
    }

    @discardableResult
    public func release(_ claimed: [ClaimedShard], note: String?) throws(QueueError) -> [ShardKey] {
        ledger.release(claimed, note: note?.storableNote, now: now())
    }

    public func deregister(_ lease: WorkerLease, note: String?) throws(QueueError) {
        ledger.deregister(lease, note: note?.storableNote, now: now())
    }

    public func dueChores() throws(QueueError) -> [Chore] { Chore.allCases }

    @discardableResult
    public func run(_ chore: Chore, isForced: Bool) throws(QueueError) -> ChoreOutcome? {
        ledger.run(chore, now: now())
    }

    public func chores() throws(QueueError) -> [ChoreRecord] {
        Chore.allCases.map { ChoreRecord(chore: $0, interval: .seconds(2)) }
    }

    public func drain(_ worker: WorkerID) throws(QueueError) {
        try ledger.drain(worker)
    }

    public func workers() throws(QueueError) -> [WorkerRecord] {
        ledger.workerRecords(now: now())
    }

    public func openShardCount(run: RunID?) throws(QueueError) -> Int {
        ledger.openShardCount(run: run)
    }
}

// MARK: - Runs

extension InMemoryJobQueue {
    @discardableResult
    public func submit(_ submission: RunSubmission) throws(QueueError) -> RunRecord {
        try change { ledger, now throws(QueueError) in try ledger.submit(submission, now: now) }
        return try ledger.run(matching: submission.id.text)
    }

    public func checkSubmission(_ submission: RunSubmission) throws(QueueError) {
        var copy = ledger
        try copy.submit(submission, now: now())
    }

    public func runs(limit: Int, project: String?) throws(QueueError) -> [RunRecord] {
        ledger.runRecords(limit: limit, project: project)
    }

    public func run(matching prefix: String) throws(QueueError) -> RunRecord {
        try ledger.run(matching: prefix)
    }

    public func jobs(of run: RunID) throws(QueueError) -> [JobRecord] {
        try ledger.jobRecords(of: run)
    }

    public func job(matching name: String) throws(QueueError) -> JobRecord {
        let parsed = try JobName(name)
        let run = try ledger.run(matching: parsed.run)
        guard var job = try ledger.jobRecords(of: run.id).first(where: { $0.id.ordinal == parsed.ordinal }) else {
            throw QueueError.jobNotFound("\(run.id).\(parsed.ordinal)")
        }
        job.engine = try ledger.job(job.id).engine
        return job
    }

    public func specification(of run: RunID) throws(QueueError) -> String {
        guard let run = ledger.runs[run] else {
            throw QueueError.runNotFound(run.text)
        }
        return run.submission.specification
    }

    public func specification(of job: JobID) throws(QueueError) -> String {
        try ledger.job(job).submission.specification
    }

    public func shards(of job: JobID) throws(QueueError) -> [ShardRecord] {
        try ledger.shardRecords(of: job)
    }

    public func troubles(of run: RunID, limit: Int) throws(QueueError) -> [AttemptRecord] {
        ledger.troubles(of: run, limit: limit)
    }

    public func attempts(of job: JobID) throws(QueueError) -> [AttemptRecord] {
        try ledger.attemptRecords(of: job)
    }

    public func results(of job: JobID) throws(QueueError) -> [ShardResult] {
        try ledger.results(of: job)
    }
}

// MARK: - Operations

extension InMemoryJobQueue {
    @discardableResult
    public func cancel(_ work: WorkTarget) throws(QueueError) -> Int {
        try ledger.cancel(work, now: now())
    }

    @discardableResult
    public func hold(_ work: WorkTarget, reason: String) throws(QueueError) -> Int {
        try ledger.hold(work, reason: reason)
    }

    @discardableResult
    public func release(_ work: WorkTarget) throws(QueueError) -> Int {
        try ledger.release(work, now: now())
    }

    @discardableResult
    public func retry(_ work: WorkTarget, onlyFailed: Bool) throws(QueueError) -> Int {
        try ledger.retry(work, onlyFailed: onlyFailed, now: now())
    }

    @discardableResult
    public func mixEngines(of work: WorkTarget) throws(QueueError) -> Int {
        try ledger.mixEngines(of: work)
    }

    @discardableResult
    public func setPriority(_ priority: Priority, of work: WorkTarget) throws(QueueError) -> Int {
        try ledger.setPriority(priority, of: work)
    }

    public func facts(of work: WorkTarget) throws(QueueError) -> [JobFacts] {
        try ledger.facts(of: work, now: now())
    }

    public func outlook(of run: RunID) throws(QueueError) -> RunOutlook {
        try ledger.outlook(of: run)
    }

    @discardableResult
    public func archive(olderThan age: Duration, limit: Int) throws(QueueError) -> Int {
        ledger.archive(olderThan: age, limit: limit, now: now())
    }

    public func projects() throws(QueueError) -> [ProjectRecord] {
        ledger.projects.keys.sorted().map { ledger.record(ofProject: $0, now: now()) }
    }

    @discardableResult
    public func changeProject(_ name: String, _ change: ProjectChange) throws(QueueError) -> ProjectRecord {
        try ledger.changeProject(name, change, now: now())
    }
}

// MARK: - Models

extension InMemoryJobQueue {
    @discardableResult
    public func addModel(_ model: ModelRecord, replacing: Bool) throws(QueueError) -> ModelRecord {
        try ledger.addModel(model, replacing: replacing, now: now())
    }

    public func models() throws(QueueError) -> [ModelRecord] {
        ledger.models.values.sorted { $0.name < $1.name }
    }

    public func model(named name: String) throws(QueueError) -> ModelRecord {
        try ledger.model(named: name)
    }
}

// MARK: - Submissions

extension InMemoryJobQueue {
    /// Changes the ledger in a way that may submit something, and wakes those that wait for that.
    func change<Value>(
        _ body: (inout Ledger, _ now: Date) throws(QueueError) -> Value
    ) throws(QueueError) -> Value {
        let value = try body(&ledger, now())
        for listener in listeners.values {
            listener.yield()
        }
        return value
    }

    public func submissions() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        lastListener += 1
        let number = lastListener
        listeners[number] = continuation
        let interval = pollInterval
        let ticks = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                continuation.yield()
            }
        }
        continuation.onTermination = { [weak self] _ in
            ticks.cancel()
            Task { await self?.forget(number) }
        }
        return stream
    }

    private func forget(_ listener: Int) {
        listeners[listener] = nil
    }
}

extension InMemoryJobQueue {
    @discardableResult
    public func addDataSet(_ dataSet: DataSetRecord, replacing: Bool) throws(QueueError) -> DataSetAddition {
        try change { ledger, now throws(QueueError) in
            try ledger.addDataSet(dataSet, replacing: replacing, now: now)
        }
    }

    public func dataSets() throws(QueueError) -> [DataSetRecord] {
        ledger.dataSets.values.sorted { $0.name < $1.name }
    }

    public func dataSet(_ name: DataSetName, with splits: [String]) throws(QueueError) -> DataSetRecord {
        try ledger.dataSet(name, with: splits)
    }

    public func removeDataSet(_ name: DataSetName) throws(QueueError) {
        try change { ledger, _ throws(QueueError) in try ledger.removeDataSet(name) }
    }
}

extension InMemoryJobQueue {
    @discardableResult
    public func addSchedule(_ definition: ScheduleDefinition, replacing: Bool) throws(QueueError) -> ScheduleRecord {
        try change { ledger, now throws(QueueError) in
            try ledger.addSchedule(definition, replacing: replacing, key: UUID(), now: now)
        }
        return try schedule(named: definition.name)
    }

    public func schedules() throws(QueueError) -> [ScheduleRecord] {
        ledger.schedules.sorted { $0.key < $1.key }.map { $0.value.record(name: $0.key) }
    }

    public func schedule(named name: String) throws(QueueError) -> ScheduleRecord {
        try ledger.schedule(named: name).record(name: name)
    }

    public func template(ofSchedule name: String) throws(QueueError) -> RunTemplate {
        try ledger.schedule(named: name).definition.template
    }

    @discardableResult
    public func pauseSchedule(
        named name: String, user: String, reason: String?
    ) throws(QueueError) -> ScheduleRecord {
        try change { ledger, now throws(QueueError) in
            try ledger.pauseSchedule(named: name, user: user, reason: reason, now: now)
        }
        return try schedule(named: name)
    }

    @discardableResult
    public func resumeSchedule(named name: String) throws(QueueError) -> ScheduleRecord {
        try change { ledger, now throws(QueueError) in try ledger.resumeSchedule(named: name, now: now) }
        return try schedule(named: name)
    }

    public func removeSchedule(named name: String) throws(QueueError) {
        try change { ledger, _ throws(QueueError) in try ledger.removeSchedule(named: name) }
    }

    public func fires(
        ofSchedule name: String, from: Date, through: Date, limit: Int
    ) throws(QueueError) -> [ScheduleFire] {
        try ledger.fires(ofSchedule: name, from: from, through: through, limit: limit)
    }

    public func fireDueSchedules(_ build: ScheduledRunBuilder) throws(QueueError) -> ScheduleRound {
        try change { ledger, now throws(QueueError) in ledger.fireDueSchedules(build, now: now) }
    }

    public func triggerSchedule(
        named name: String, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) throws(QueueError) -> ScheduleFire {
        try change { ledger, now throws(QueueError) in
            try ledger.triggerSchedule(named: name, overlap: overlap, build, now: now)
        }
    }

    public func backfillSchedule(
        named name: String, dueAt: Date, overlap: OverlapPolicy?, _ build: ScheduledRunBuilder
    ) throws(QueueError) -> ScheduleFire {
        try change { ledger, now throws(QueueError) in
            try ledger.backfillSchedule(named: name, dueAt: dueAt, overlap: overlap, build, now: now)
        }
    }
}

extension InMemoryJobQueue {
    public func databaseIdentity() throws(QueueError) -> DatabaseIdentity {
        ledger.databaseIdentity
    }

    public func adoptStore(
        _ store: UUID, path: String, user: String, onlyFirst: Bool
    ) throws(QueueError) -> StoreAdoption {
        try change { ledger, now throws(QueueError) in
            try ledger.adoptStore(store, path: path, user: user, onlyFirst: onlyFirst, now: now)
        }
    }

    public func verdicts(on claims: [ClaimReference]) throws(QueueError) -> [ClaimReference: ClaimVerdict] {
        var verdicts: [ClaimReference: ClaimVerdict] = [:]
        for claim in claims { verdicts[claim] = ledger.verdict(on: claim) }
        return verdicts
    }

    public func withdraw(
        _ results: [ResultWithdrawal], of job: JobID, user: String, again: Bool
    ) throws(QueueError) -> [Int] {
        try change { ledger, now throws(QueueError) in
            try ledger.withdraw(results, of: job, user: user, again: again, now: now)
        }
    }

    public func withdrawnResults(of job: JobID) throws(QueueError) -> [WithdrawnResult] {
        ledger.withdrawnResults(of: job)
    }

    @discardableResult
    public func restore(_ run: RunID) throws(QueueError) -> Bool {
        try change { ledger, _ throws(QueueError) in try ledger.restore(run) }
    }

    public func namedHashes() throws(QueueError) -> Set<String> {
        ledger.namedHashes
    }
}
