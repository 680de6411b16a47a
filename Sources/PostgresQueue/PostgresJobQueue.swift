import FoundationEssentials
public import JobQueue
public import Postgres
import SQL

/// The queue in a PostgreSQL database.
///
/// A worker's heartbeat needs a queue of its own, over a pool and a loop of its own, so that nothing delays it.
public struct PostgresJobQueue: JobQueue {
    let pool: PostgresPool
    let pollInterval: ClosedRange<Double>

    /// A queue in the schema that the pool's connections work in; ``Migrator`` makes it.
    ///
    /// - Parameter pollInterval: The seconds between two wake-ups of `submissions()` that need no notification; each
    ///   one is drawn from this range, so that many workers do not come at once.
    public init(_ pool: PostgresPool, pollInterval: ClosedRange<Double> = 1...5) {
        self.pool = pool
        self.pollInterval = pollInterval
    }

    /// Runs one statement and reads its rows.
    ///
    /// - Parameter task: What is being done, for the error: "claim shards".
    func query<Value>(
        _ query: Query, _ parameters: [(any PostgresEncodable)?] = [], to task: String,
        read: (PostgresRows) throws(PostgresError) -> Value
    ) async throws(QueueError) -> Value {
        var attempt = 1
        while true {
            do {
                return try read(try await pool.query(PostgresStatement(query), parameters))
            } catch  where error.isSerializationFailure && attempt < Self.attempts {
                // The server rolled all of it back, in favour of somebody else who is done by now.
                attempt += 1
            } catch {
                throw QueueError(error, task: task)
            }
        }
    }

    /// How often a statement is tried that the server rolls back because of others.
    private static let attempts = 5
}

extension PostgresStatement {
    init(_ query: Query) {
        self.init(name: query.name, sql: query.sql)
    }
}

extension PostgresJobQueue {
    /// What the role of this queue's connections may do.
    ///
    /// - Throws: `forbidden` when it was granted nothing at all.
    public func rights() async throws(QueueError) -> RoleRights {
        try await query(.listAbilities, to: "find out what this role may do") { rows throws(PostgresError) in
            var rights = RoleRights(role: try rows.first?.decode("role") ?? "")
            for row in rows where try row.decode("has", as: Bool.self) {
                let name = try row.decode("ability", as: String.self)
                if name == "owner" { rights.isOwner = true }
                if let ability = Ability(rawValue: name) { rights.abilities.insert(ability) }
            }
            return rights
        }
    }
}

extension PostgresJobQueue {
    @discardableResult
    public func submit(_ submission: RunSubmission) async throws(QueueError) -> RunRecord {
        try submission.validate()
        let outcome = try await query(
            .submitRun, try submission.columns, to: "submit run \(submission.id)", read: SubmissionOutcome.init(_:))
        try outcome.check(submission)
        return try await run(matching: submission.id.text)
    }

    /// Submits and takes it back, so that nothing that the database has to say against it is left out.
    public func checkSubmission(_ submission: RunSubmission) async throws(QueueError) {
        struct TakenBack: Error {}
        try submission.validate()
        let columns = try submission.columns
        do {
            try await pool.withTransaction { connection in
                try SubmissionOutcome(try await connection.query(PostgresStatement(.submitRun), columns))
                    .check(submission)
                throw TakenBack()
            }
        } catch is TakenBack {
            return
        } catch {
            throw QueueError(error, task: "check run \(submission.id)")
        }
    }
}

extension RunSubmission {
    fileprivate var columns: [(any PostgresEncodable)?] {
        get throws(QueueError) { [id.text, project, name, user] + (try StoredSubmission(self).columns) }
    }
}

/// A run as the database's functions take it.
struct StoredSubmission: Sendable {
    /// Tier, sha256, specification, the specifications of jobs, the jobs.
    let columns: [(any PostgresEncodable)?]

    init(_ submission: RunSubmission) throws(QueueError) {
        // Each content once.
        var places: [String: Int] = [:]
        var specifications: [String] = []
        var jobs: [StoredJob] = []
        jobs.reserveCapacity(submission.jobs.count)
        for job in submission.jobs {
            let place = places[job.specification] ?? specifications.count + 1
            if place > specifications.count {
                places[job.specification] = place
                specifications.append(job.specification)
            }
            jobs.append(StoredJob(job, of: submission.id, specification: place))
        }
        let text: String
        do {
            text = String(decoding: try JSONEncoder().encode(jobs), as: UTF8.self)
        } catch {
            throw QueueError(error, task: "write the jobs of run \(submission.id) as JSON")
        }
        columns = [
            submission.priority.rawValue, submission.digest, submission.specification, specifications, text,
        ]
    }
}

/// The outcome of a submission.
struct SubmissionOutcome: Sendable {
    private enum Name: String, PostgresDecodable {
        case stored, same, other, missing
    }

    private let name: Name
    /// Which of the dependencies of all jobs, one behind the other from 1, names nothing.
    private let place: Int?

    init(_ rows: PostgresRows) throws(PostgresError) {
        let row = try rows.only()
        name = try row.decode("outcome")
        place = try row.decode("place")
    }

    /// - Throws: `conflict` or `notFound` when nothing was stored.
    func check(_ submission: RunSubmission) throws(QueueError) {
        switch name {
        case .stored, .same: break
        case .other: throw QueueError.submissionDiffers(submission.id)
        case .missing:
            let dependencies = submission.jobs.flatMap(\.after)
            guard let place, dependencies.indices.contains(place - 1) else {
                throw QueueError(.internalFailure, "dependency \(place ?? 0) of run \(submission.id) does not exist")
            }
            throw QueueError.dependencyNotFound(dependencies[place - 1])
        }
    }
}

/// A job in the JSON that `store_run` reads.
private struct StoredJob: Encodable {
    struct Need: Encodable {
        var run: String
        var ordinal: Int?
        var condition: JobDependency.Condition
    }

    enum CodingKeys: String, CodingKey {
        case task, model
        case modelSHA256 = "model_sha256"
        case specification, samples, shards, labels
        case gpuMegabytes = "gpu_mb"
        case device
        case maxAttempts = "max_attempts"
        case maxFailures = "max_failures"
        case after, mixed, work
    }

    var task: String
    var model: String
    var modelSHA256: String
    var specification: Int
    var samples: Int
    /// Rows of a shard, and how many shards in a row have so many.
    var shards: [[Int]]
    var labels: [String]
    var gpuMegabytes: Int
    var device: String?
    var maxAttempts: Int
    var maxFailures: Int?
    var after: [Need]
    var mixed: Bool?
    var work: String?

    init(_ job: JobSubmission, of run: RunID, specification: Int) {
        task = job.task
        model = job.model
        modelSHA256 = job.modelSHA256
        self.specification = specification
        samples = job.sampleCount
        labels = job.needLabels
        gpuMegabytes = job.needGPUMegabytes
        device = job.needDevice
        maxAttempts = job.maxAttempts
        maxFailures = job.maxFailures
        shards = []
        for shard in job.shards {
            if let last = shards.last, last[0] == shard.rowCount {
                shards[shards.count - 1][1] += 1
            } else {
                shards.append([shard.rowCount, 1])
            }
        }
        after = job.after.map { Need($0, of: run) }
        mixed = job.mixed
        work = job.work
    }
}

extension StoredJob.Need {
    init(_ dependency: JobDependency, of own: RunID) {
        condition = dependency.condition
        switch dependency.target {
        case .sibling(let ordinal): (run, self.ordinal) = (own.text, ordinal)
        case .job(let run, let ordinal): (self.run, self.ordinal) = (run.text, ordinal)
        case .run(let run): (self.run, ordinal) = (run.text, nil)
        }
    }
}

extension PostgresJobQueue {
    /// The channel that every submission is announced on; one announcement per run.
    static let channel = "assay_submitted"

    /// Listens on a connection that does other work too, and polls: an announcement may get lost with a connection, and
    /// behind a pooler there are none.
    public func submissions() async -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let queue = self
        let listener = Task {
            // Errors are left to the calls that do the work: here they only mean to poll for now.
            while !Task.isCancelled, (try? await queue.listen(waking: continuation)) != false {
                try? await Task.sleep(for: queue.nextPoll)
            }
        }
        let poller = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: queue.nextPoll)
                continuation.yield()
            }
        }
        continuation.onTermination = { _ in
            listener.cancel()
            poller.cancel()
        }
        return stream
    }

    private var nextPoll: Duration { .seconds(.random(in: pollInterval)) }

    /// Wakes at once and at every announcement, until the connection or the task ends.
    ///
    /// - Returns: False when no announcements ever come through to here.
    private func listen(waking continuation: AsyncStream<Void>.Continuation) async throws -> Bool {
        guard let announcements = try await pool.listen(Self.channel) else { return false }
        // What was submitted before this moment was announced to nobody.
        continuation.yield()
        for await _ in announcements {
            continuation.yield()
        }
        return true
    }
}

extension PostgresJobQueue {
    public func runs(limit: Int, project: String?) async throws(QueueError) -> [RunRecord] {
        let limit = min(max(0, limit), storableCount.upperBound)
        return try await query(.listRuns, [project, limit], to: "list the runs", read: RunRecord.all(in:))
    }

    public func run(matching typed: String) async throws(QueueError) -> RunRecord {
        let prefix = try RunPrefix(typed)
        let shown = 5
        let runs = try await query(
            .findRuns, [prefix.text, shown + 1], to: "look for run '\(typed)'", read: RunRecord.all(in:))
        guard let first = runs.first else {
            throw QueueError.runNotFound(typed)
        }
        guard runs.count == 1 else {
            throw QueueError.runIsAmbiguous(typed, runs.prefix(shown).map(\.id), areMore: runs.count > shown)
        }
        return first
    }

    public func jobs(of run: RunID) async throws(QueueError) -> [JobRecord] {
        let jobs = try await query(
            .listJobs, [run.text, nil], to: "list the jobs of run \(run)", read: JobRecord.all(in:))
        guard !jobs.isEmpty else {
            throw QueueError.runNotFound(run.text)
        }
        return jobs
    }

    public func job(matching name: String) async throws(QueueError) -> JobRecord {
        let parsed = try JobName(name)
        let run = try await run(matching: parsed.run).id
        let jobs = try await query(
            .listJobs, [run.text, parsed.ordinal], to: "look for job \(name)", read: JobRecord.all(in:))
        guard let job = jobs.first else {
            throw QueueError.jobNotFound("\(run).\(parsed.ordinal)")
        }
        return job
    }

    public func specification(of run: RunID) async throws(QueueError) -> String {
        let text = try await query(.runSpecification, [run.text], to: "read the specification of run \(run)") {
            rows throws(PostgresError) in
            try rows.atMostOne()?.decode("specification", as: String.self)
        }
        guard let text else {
            throw QueueError.runNotFound(run.text)
        }
        return text
    }

    public func specification(of job: JobID) async throws(QueueError) -> String {
        let text = try await query(.jobSpecification, [job.number], to: "read the specification of job \(job)") {
            rows throws(PostgresError) in
            try rows.atMostOne()?.decode("specification", as: String.self)
        }
        guard let text else {
            throw QueueError.jobNotFound(job.name)
        }
        return text
    }
}

extension RunRecord {
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [RunRecord] {
        var records: [RunRecord] = []
        for row in rows {
            records.append(try RunRecord(row))
        }
        return records
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        let progress = try WorkProgress(row)
        self.init(
            id: RunID(unchecked: try row.decode("run_id")), name: try row.decode("name"),
            project: try row.decode("project"), user: try row.decode("user_name"),
            priority: try row.name("tier"), jobCount: try row.decode("jobs"),
            submittedAt: try row.date("submitted_at"), cancelledAt: try row.optionalDate("cancelled_at"),
            archivedAt: try row.optionalDate("archived_at"),
            startedAt: try row.optionalDate("started_at"),
            finishedAt: progress.isOver ? try row.optionalDate("ended_at") : nil, progress: progress)
    }
}

extension JobRecord {
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [JobRecord] {
        var records: [JobRecord] = []
        for row in rows {
            records.append(try JobRecord(row))
        }
        return records
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        let progress = try WorkProgress(row)
        self.init(
            id: try JobID(row), task: try row.decode("task"), model: try row.decode("model"),
            modelSHA256: try row.decode("model_sha256"), needLabels: try row.decode("need_labels"),
            needGPUMegabytes: try row.decode("need_gpu_mb"), needDevice: try row.decode("need_device"),
            maxAttempts: try row.decode("max_attempts"), maxFailures: try row.decode("max_failures"),
            priority: try row.name("tier"), gate: try row.name("gate"), reason: try row.decode("reason"),
            startedAt: try row.optionalDate("started_at"),
            finishedAt: progress.isOver ? try row.optionalDate("ended_at") : nil, progress: progress)
        isMixed = try row.decode("is_mixed")
        engine = try row.decode("engine")
    }
}
