internal import Datasets
internal import Evaluation
internal import Execution
internal import FoundationEssentials
public import JobQueue
public import LMEval
public import Logging
internal import Planning
internal import Reporting
public import ResultStore
public import UVEventLoop
internal import WorkerLogic

/// Jobs of a finished run, checked to the last row, whose answers another task is to score.
///
/// Nothing is written before the check has passed. The scores become a run of their own; the old results stay as they are.
public struct RescoringPlan: Sendable {
    private struct Job {
        var source: RescoredJob
        var pair: TaskPair
        /// Of all results of the source.
        var digest: String
    }

    private let run: RunRecord
    private let jobs: [Job]
    private let task: EvaluationTask
    private let store: Store

    /// After this time a heartbeat is given up, together with its connection.
    public static let heartbeatPatience = WorkerLease.heartbeatTimeout(ttl: WorkerOptions().leaseTTL)

    /// Jobs whose answers are scored, by run and job.
    public var sources: [String] { self.jobs.map(\.source.name) }

    /// Takes those jobs of the selection that worked on the task's rows.
    ///
    /// - Throws: `RescoringError`, or what queue and store throw.
    public init(
        _ selection: RunSelection, by task: EvaluationTask, _ data: TaskData, queue: any RunRegistry, store: Store
    ) async throws {
        let file = task.configuration.file
        var jobs: [Job] = []
        for record in selection.jobs {
            let specification = try JobSpecification(json: try await queue.specification(of: record.id))
            guard specification.dataSet.sha256 == data.evaluated.sha256 else { continue }
            let results = try await queue.results(of: record.id)
            let source = try RescoredJob(name: record.id.name, specification: specification, results: results)
            let pair: TaskPair
            do throws(RescoringError) {
                pair = try await Self.pair(specification, task, data, store)
                for row in 0..<specification.dataSet.rows { _ = try pair.sample(row: row) }
            } catch {
                throw RescoringError(error.code, "job \(record.id) can't be scored by '\(file)': \(error)")
            }
            jobs.append(Job(source: source, pair: pair, digest: JobFiles(of: record, results).digest))
        }
        guard !jobs.isEmpty else {
            throw RescoringError(
                .otherRows,
                "no job of run \(selection.run.id) is on the rows of '\(file)' (\(data.evaluated.sha256.prefix(12)))")
        }
        self.run = selection.run
        self.jobs = jobs
        self.task = task
        self.store = store
    }

    private static func pair(
        _ specification: JobSpecification, _ task: EvaluationTask, _ data: TaskData, _ store: Store
    ) async throws(RescoringError) -> TaskPair {
        var answered = data
        // Its examples may come from rows that the new task does not name.
        if let pool = specification.fewShotPool?.sha256 {
            do {
                answered.fewShotPool = try DataSet(jsonl: try await store.dataSet(sha256: pool))
            } catch {
                throw RescoringError(.unreadable, "\(error)")
            }
        }
        return try TaskPair(answered: specification, by: task, data: answered)
    }

    /// What came of it.
    public struct Outcome: Sendable, Hashable {
        /// The run with the new scores.
        public var run: RunID
        public var samples: Int
    }

    /// Submits the new run, and claims, scores and commits its shards like any worker.
    ///
    /// No other worker would take them, so the run is cancelled if the task is, or if anything goes wrong.
    ///
    /// - Parameters:
    ///   - heartbeatQueue: The same queue through a connection that lives on `heartbeatLoop`.
    ///   - onStall: Ends the process; see ``Worker``.
    /// - Throws: `RescoringError`, or what queue and worker throw.
    public func perform(
        user: String, queue: any JobQueue, heartbeatQueue: any WorkQueue, heartbeatLoop: EventLoop, logger: Logger,
        onStall: @escaping @Sendable (_ reason: String) -> Void
    ) async throws -> Outcome {
        let label = "rescoring-\(RunID.random())"
        let submission = try Planner.rescoring(
            name: "\(self.run.name) rescored", project: self.run.project, user: user, label: label,
            jobs: self.jobs.map { (self.specification(of: $0), $0.source.shards) })
        // In a task of its own, as is cancelling: whoever stops this one must not leave it open whether there is a run.
        let records = try await Task {
            _ = try await queue.submit(submission)
            return try await queue.jobs(of: submission.id)
        }.value
        let sources = Dictionary(
            records.map { ($0.id.name, (job: self.jobs[$0.id.ordinal].source, pair: self.jobs[$0.id.ordinal].pair)) }
        ) { first, _ in first }
        let worker = Worker(
            description: WorkerDescription(
                host: ProcessInfo.processInfo.hostName, pid: Int(ProcessInfo.processInfo.processIdentifier),
                device: "cpu", labels: [label], engine: "rescoring"),
            options: WorkerOptions(run: submission.id, endsWhenDrained: true), queue: queue,
            heartbeatQueue: heartbeatQueue, heartbeatLoop: heartbeatLoop,
            processor: Rescorer(store: self.store, sources: sources), logger: logger, onStall: onStall)
        let summary: WorkerSummary
        do {
            summary = try await worker.run()
            try self.check(summary, submission.id)
        } catch {
            // Shards that failed stay, with their reasons, as in any run.
            guard (error as? RescoringError)?.code != .failed else { throw error }
            _ = try? await Task { try await queue.cancel(submission.id) }.value
            throw error
        }
        return Outcome(run: submission.id, samples: summary.samples)
    }

    private func check(_ summary: WorkerSummary, _ run: RunID) throws(RescoringError) {
        if let reason = summary.reasonForLeaving { throw RescoringError(.stopped, reason, run: run) }
        let samples = self.jobs.reduce(0) { $0 + $1.source.specification.dataSet.rows }
        guard summary.samples == samples || !Task.isCancelled else {
            throw RescoringError(.interrupted, "interrupted: run \(run) is cancelled", run: run)
        }
        guard summary.failed == 0 else { throw RescoringError(.failed, "run \(run) could not be scored", run: run) }
    }

    private func specification(of job: Job) -> JobSpecification {
        var specification = job.source.specification
        specification.rescoredFrom = .init(
            job: job.source.name, taskHash: specification.task.hash, digest: job.digest)
        specification.task = .init(self.task)
        return specification
    }
}

/// Why answers can't be, or were not, scored again.
public struct RescoringError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// No job is on the task's rows.
        case otherRows
        /// The model would be asked something else than it was.
        case otherPrompts
        /// The task has another number of epochs than the job.
        case otherEpochs(answered: Int)
        /// A job has shards without results.
        case unfinished
        /// One of the two tasks can't be used.
        case invalidTask
        /// The store does not give what is needed.
        case unreadable
        /// Shards of the new run failed; it says why.
        case failed
        /// The worker left before it was done; the new run is cancelled.
        case stopped
        /// Somebody stopped it; the new run is cancelled.
        case interrupted
    }

    public var code: Code
    /// What happened, and where.
    public var message: String
    /// The new run, if there is one.
    public var run: RunID?

    public init(_ code: Code, _ message: String, run: RunID? = nil) {
        self.code = code
        self.message = message
        self.run = run
    }

    public var description: String { self.message }
}
