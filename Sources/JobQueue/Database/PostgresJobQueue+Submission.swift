import FoundationEssentials
import Postgres
import SQL

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
