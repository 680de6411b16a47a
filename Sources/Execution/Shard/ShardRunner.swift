internal import Evaluation
internal import Inference
public import JobQueue
public import Logging
public import ResultStore

/// Takes shards from rows to prompts to requests to responses to scores to a published file.
///
/// What it publishes is a function of the job's specification, the shard's range and the engine, and of nothing else. All
/// that computes here runs on a thread of its own, beside the engine's.
public actor ShardRunner: ShardProcessor {
    nonisolated let store: Store
    nonisolated let engines: any EngineProvider
    /// Runs programs that models write; `nil` where that was not allowed.
    nonisolated let programs: (any ProgramRunner)?
    /// Finds samples that need not be computed; `nil` where none are taken over.
    nonisolated let equalResults: EqualResultFinder?
    nonisolated let logger: Logger
    private let executor: ThreadExecutor
    private var tasks = RecentValues<String, EvaluationTask>(limit: 8)
    private var dataSets = RecentValues<String, DataSet>(limit: 4)

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    public init(
        store: Store, engines: any EngineProvider, programs: (any ProgramRunner)? = nil,
        equalResults: EqualResultFinder? = nil, logger: Logger = Logger(label: "assay.execution")
    ) throws(ExecutionError) {
        self.equalResults = equalResults
        self.logger = logger
        self.store = store
        self.programs = programs
        self.engines = engines
        do {
            self.executor = try ThreadExecutor()
        } catch {
            throw ExecutionError(engineError: error)
        }
    }

    public func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard {
        let job = try Self.specification(of: shard)
        let dataSet = try await self.dataSet(job.dataSet.sha256)
        let task = try await self.task(of: job, evaluating: dataSet)
        guard !task.configuration.runsCode || self.programs != nil else { throw Self.runsNoCode }
        try Self.checkCancellation()
        var work = try ShardWork(task: task, dataSet: dataSet, range: shard.range, settings: job.settings)
        let reused = task.configuration.runsCode ? ReusedSamples() : try await self.reused(shard, job)
        work.leaveOut(reused.samples.keys)
        var prepared = PreparedWork(runner: self, shard: shard, job: job, work: work, reused: reused)
        // The engine in memory may be another one than the job will get; then its requests are made later.
        if let engine = await self.engines.loadedEngine(for: job) {
            try Self.checkCancellation()
            prepared.requests = try self.requests(of: work, job, for: engine)
        }
        return prepared
    }

    /// A shard's requests, which can be made only once its engine is there.
    func requests(
        of work: ShardWork, _ job: JobSpecification, for engine: any Engine
    ) throws(ExecutionError) -> ShardRequests {
        try work.tokenized(by: engine, overflow: job.settings.overflow ?? .truncate)
    }

    /// Scores a shard.
    func samples(
        of computed: ComputedWork, _ verdicts: [[ProgramVerdict]]
    ) throws(ExecutionError) -> [SampleResult] {
        try computed.work.scored(computed.requests, computed.responses, verdicts, mode: computed.job.settings.logits)
    }

    /// The programs of a shard's samples.
    func programs(of computed: ComputedWork) throws(ExecutionError) -> [[String]] {
        try computed.work.programs(computed.requests, computed.responses)
    }

    private static let runsNoCode = ExecutionError(
        .nodeFault,
        "the task runs programs that the model writes, which this worker does not; start one with --run-code",
        lacking: .runningPrograms)

    /// Runs a shard's programs: a list of verdicts for each list of programs.
    nonisolated func verdicts(
        on programs: [[String]], sign: @escaping @Sendable () -> Void
    ) async throws(ExecutionError) -> [[ProgramVerdict]] {
        let all = programs.flatMap(\.self)
        guard !all.isEmpty else { return programs.map { _ in [] } }
        guard let runner = self.programs else {
            throw Self.runsNoCode
        }
        var rest = try await runner.run(all, sign: sign)[...]
        guard rest.count == all.count else {
            throw ExecutionError(.permanent, "there are \(rest.count) verdicts on \(all.count) programs")
        }
        return programs.map { own in
            defer { rest = rest.dropFirst(own.count) }
            return Array(rest.prefix(own.count))
        }
    }

    private static func specification(of shard: ClaimedShard) throws(ExecutionError) -> JobSpecification {
        do {
            return try JobSpecification(json: shard.specification)
        } catch {
            throw ExecutionError(
                .permanent, "the specification of job \(shard.jobName) can't be read by this version of Assay: \(error)"
            )
        }
    }

    private func task(
        of job: JobSpecification, evaluating dataSet: DataSet
    ) async throws(ExecutionError) -> EvaluationTask {
        // Which examples stand before a row depends on the rows as well.
        let key = "\(job.task.hash) \(job.dataSet.sha256) \(job.dataSet.rows)"
        if let task = self.tasks[key] { return task }
        var pool: DataSet?
        if let sha256 = job.fewShotPool?.sha256 { pool = try await self.dataSet(sha256) }
        do {
            let task = try EvaluationTask(
                canonicalJSON: job.task.configuration, TaskData(evaluated: dataSet, fewShotPool: pool),
                rows: job.dataSet.rows)
            guard task.taskHash == job.task.hash else {
                throw ExecutionError(
                    .permanent,
                    "task '\(job.task.name)' has hash \(task.taskHash) here and \(job.task.hash) where it was submitted: "
                        + "submitter and worker are of different versions")
            }
            self.tasks[key] = task
            return task
        } catch let error as ExecutionError {
            throw error
        } catch {
            throw ExecutionError(.permanent, "task '\(job.task.name)': \(error)")
        }
    }

    private func dataSet(_ sha256: String) async throws(ExecutionError) -> DataSet {
        if let dataSet = self.dataSets[sha256] { return dataSet }
        let bytes: [UInt8]
        do {
            bytes = try await self.store.dataSet(sha256: sha256)
        } catch {
            throw ExecutionError(reading: error, lacking: .dataSet(sha256: sha256))
        }
        do {
            let dataSet = try DataSet(jsonl: bytes)
            self.dataSets[sha256] = dataSet
            return dataSet
        } catch {
            throw ExecutionError(.permanent, "data set \(sha256): \(error)")
        }
    }

    static func checkCancellation() throws(ExecutionError) {
        if Task.isCancelled { throw ExecutionError(.cancelled, "stopped") }
    }
}
