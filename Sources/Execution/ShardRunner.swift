internal import Datasets
public import Evaluation
internal import FoundationEssentials
public import Inference
public import JobQueue
internal import LMEval
public import Logging
public import ResultStore
internal import Threads
public import WorkerLogic

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
            throw ExecutionError(.transient, error.description)
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

    /// The engine with a job's model, loaded if need be.
    nonisolated func engine(
        for job: JobSpecification, sign: @escaping @Sendable () -> Void
    ) async throws(ExecutionError) -> any Engine {
        do throws(EngineError) {
            return try await self.engines.engine(for: job, sign: sign)
        } catch {
            throw ExecutionError(error, model: job.model)
        }
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

/// A shard's samples on their way from rows to scores.
struct ShardWork {
    let task: EvaluationTask
    private(set) var samples: [PreparedSample]
    private let isChat: Bool
    private let rules: TokenRules

    init(
        task: EvaluationTask, dataSet: DataSet, range: ShardRange, settings: JobSpecification.Settings
    ) throws(ExecutionError) {
        self.task = task
        self.isChat = settings.chat != nil
        self.rules = settings.tokens ?? TokenRules()
        do {
            let style = try settings.promptStyle()
            self.samples = try dataSet.documents(in: range.rowStart..<(range.rowStart + range.rowCount))
                .map { (document) throws(TaskError) in try task.prepare(document, style: style) }
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
    }

    /// Leaves out what need not be computed, by its rows.
    mutating func leaveOut(_ rows: some Collection<Int>) {
        guard !rows.isEmpty else { return }
        let rows = Set(rows)
        self.samples.removeAll { rows.contains($0.row) }
    }

    /// The engine's requests: by sample, by request of the sample, by window.
    func tokenized(by engine: any Engine, overflow: OverflowPolicy) throws(ExecutionError) -> ShardRequests {
        var bySample: [[[EngineRequest]]] = []
        bySample.reserveCapacity(self.samples.count)
        for sample in self.samples {
            do {
                bySample.append(
                    try sample.requests.map { (request) throws(TaskError) in
                        try request.tokenized(
                            by: engine.tokenizer, maxLength: engine.maxLength, overflow: overflow,
                            isChat: self.isChat, rules: self.rules)
                    })
            } catch {
                throw ExecutionError(.permanent, "row \(sample.row) (sample \(sample.sampleID)): \(error)")
            }
        }
        return ShardRequests(bySample: bySample)
    }

    /// The programs that decide the scores, by sample; none unless the task runs code.
    func programs(
        _ requests: ShardRequests, _ responses: [EngineResponse]
    ) throws(ExecutionError) -> [[String]] {
        guard self.task.configuration.runsCode else { return self.samples.map { _ in [] } }
        return try self.map(requests, responses) { sample, requests, responses throws(TaskError) in
            try self.task.programs(sample, requests: requests, responses: responses)
        }
    }

    /// - Parameter verdicts: On the programs of each sample.
    func scored(
        _ requests: ShardRequests, _ responses: [EngineResponse], _ verdicts: [[ProgramVerdict]], mode: LogitsMode
    ) throws(ExecutionError) -> [SampleResult] {
        var rest = verdicts[...]
        return try self.map(requests, responses) { sample, requests, responses throws(TaskError) in
            try self.task.score(
                sample, requests: requests, responses: responses, logitsMode: mode, verdicts: rest.popFirst() ?? [])
        }
    }

    /// Hands each sample its requests and the engine's responses to them.
    private func map<Result>(
        _ requests: ShardRequests, _ responses: [EngineResponse],
        _ body: (PreparedSample, [[EngineRequest]], [[EngineResponse]]) throws(TaskError) -> Result
    ) throws(ExecutionError) -> [Result] {
        guard responses.count == requests.flat.count else {
            throw ExecutionError(
                .permanent, "the engine gave \(responses.count) responses to \(requests.flat.count) requests")
        }
        var next = responses.startIndex
        var results: [Result] = []
        results.reserveCapacity(self.samples.count)
        for (sample, requests) in zip(self.samples, requests.bySample) {
            let own = requests.map { windows in
                defer { next += windows.count }
                return Array(responses[next..<(next + windows.count)])
            }
            do throws(TaskError) {
                results.append(try body(sample, requests, own))
            } catch {
                throw ExecutionError(.permanent, "\(error)")
            }
        }
        return results
    }
}

/// Requests by sample, and the same in one row as the engine takes them.
struct ShardRequests: Sendable {
    let bySample: [[[EngineRequest]]]
    let flat: [EngineRequest]

    init(bySample: [[[EngineRequest]]]) {
        self.bySample = bySample
        self.flat = bySample.flatMap { $0.flatMap { $0 } }
    }
}

/// Turns finished requests into finished samples, for progress.
struct SampleCounter: Sendable {
    private let requestsPerSample: Double

    init(_ requests: ShardRequests) {
        self.requestsPerSample =
            requests.bySample.isEmpty ? 1 : max(Double(requests.flat.count) / Double(requests.bySample.count), 1)
    }

    func samples(finishedWith requests: Int) -> Int { Int(Double(requests) / self.requestsPerSample) }
}

/// A shard whose prompts are written, and its requests too if its engine was there.
struct PreparedWork: PreparedShard {
    let runner: ShardRunner
    let shard: ClaimedShard
    let job: JobSpecification
    let work: ShardWork
    let reused: ReusedSamples
    var requests: ShardRequests?

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard {
        try ShardRunner.checkCancellation()
        if self.work.samples.isEmpty, let engine = self.reused.engine {
            // Nothing is left to compute: no model is loaded for it.
            progress(self.shard.rowCount, 0)
            return ComputedWork(
                runner: self.runner, shard: self.shard, job: self.job, work: self.work, reused: self.reused,
                requests: ShardRequests(bySample: []), responses: [], engine: engine)
        }
        let engine = try await self.runner.engine(for: self.job) { progress(0, 0) }
        let requests: ShardRequests
        if let made = self.requests {
            requests = made
        } else {
            requests = try await self.runner.requests(of: self.work, self.job, for: engine)
        }
        do {
            let counter = SampleCounter(requests)
            let there = self.reused.samples.count
            let responses = try await engine.run(requests.flat) { done in
                progress(there + counter.samples(finishedWith: done.requestsDone), done.computedTokens)
            }
            return ComputedWork(
                runner: self.runner, shard: self.shard, job: self.job, work: self.work, reused: self.reused,
                requests: requests, responses: responses, engine: engine.identity)
        } catch {
            throw ExecutionError(error, model: self.job.model, in: self.work, requests)
        }
    }
}

extension ExecutionError {
    /// What it means for a shard that its engine could not start or answer.
    init(_ error: EngineError, model: JobSpecification.Model) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            // Another node may have it, or have more of it.
            case .deviceUnavailable, .modelUnavailable, .outOfMemory: .nodeFault
            default: error.code.isTransient ? .transient : .permanent
            }
        self.init(
            code, "\(error)",
            lacking: error.code == .modelUnavailable ? .model(sha256: model.sha256, path: model.path) : nil)
    }

    /// Names the row of the request at fault, where one is: nobody knows requests by their numbers.
    fileprivate init(
        _ error: EngineError, model: JobSpecification.Model, in work: ShardWork, _ requests: ShardRequests
    ) {
        self.init(error, model: model)
        guard var rest = error.requestIndex else { return }
        for (sample, requests) in zip(work.samples, requests.bySample) {
            let count = requests.reduce(0) { $0 + $1.count }
            guard rest >= count else {
                self.message = "row \(sample.row) (sample \(sample.sampleID)), request \(rest): \(error.message)"
                return
            }
            rest -= count
        }
    }
}

/// A shard's responses; it does not hold the engine, so that another model can take its place.
struct ComputedWork: ComputedShard {
    let runner: ShardRunner
    let shard: ClaimedShard
    let job: JobSpecification
    let work: ShardWork
    let reused: ReusedSamples
    let requests: ShardRequests
    let responses: [EngineResponse]
    let engine: EngineIdentity
    /// Programs are run once, however often publishing is tried.
    let verdicts = KeptVerdicts()

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        let programs = try await self.runner.programs(of: self)
        let verdicts = try await self.verdicts.value { () async throws(ExecutionError) in
            try await self.runner.verdicts(on: programs, sign: sign)
        }
        sign()
        let samples = try await self.runner.samples(of: self, verdicts)
        sign()
        try ShardRunner.checkCancellation()
        var engine = self.engine
        // The judge is part of what the result depends on, in shards without programs, too: a job has one engine.
        if self.work.task.configuration.runsCode, let name = self.runner.programs?.name {
            engine.engineBuild += "; \(name)"
        }
        var header = try ShardHeader(self.shard, job: self.job, engine: engine)
        header.reusedFrom = self.reused.sources
        return try await self.runner.store.publish(
            self.reused.merged(with: samples), of: self.shard, header: header, computed: samples)
    }
}

extension Store {
    /// Writes a shard's samples; what goes wrong is the store's fault or the samples', as the code says.
    ///
    /// - Parameter computed: Those whose tokens count as work; all if not given.
    public func publish(
        _ samples: [SampleResult], of shard: ClaimedShard, header: ShardHeader, computed: [SampleResult]? = nil
    ) async throws(ExecutionError) -> ShardPublication {
        do {
            let file = try await self.publishShard(
                header, samples: samples, epoch: shard.epoch.rawValue, incarnation: shard.incarnation.uuid)
            return ShardPublication(
                path: file.path, bytes: Int64(file.bytes), sha256: file.sha256, digest: file.digest,
                samples: samples.count,
                tokens: (computed ?? samples).reduce(0) { $0 + $1.promptTokens + $1.generatedTokens }, seconds: 0)
        } catch {
            throw ExecutionError(writing: error)
        }
    }
}

extension ExecutionError {
    /// What it means that a result can't be published.
    init(writing error: StoreError) {
        let code: Code =
            switch error.code {
            case .invalidInput: .permanent
            case .noSpace: .storeFull
            case .unavailableStore, .inputOutput: .storeUnavailable
            case .unusableStore: .storeRefused
            default: .transient
            }
        self.init(code, "\(error)")
    }

    /// What it means that a data set, or another file of the store, can't be read.
    public init(reading error: StoreError, lacking: ExecutionError.Thing? = nil) {
        let code: Code =
            switch error.code {
            case .noSpace, .unavailableStore, .inputOutput: .storeUnavailable
            case .unusableStore: .storeRefused
            // Another node may see the file, or see it whole.
            case .missing, .corrupt, .malformed: .nodeFault
            default: .transient
            }
        self.init(code, "\(error)", lacking: code == .nodeFault ? lacking : nil)
    }
}

extension ShardHeader {
    /// The header of a shard's file: what the work is, never who did it or when.
    public init(_ shard: ClaimedShard, job: JobSpecification, engine: EngineIdentity) throws(ExecutionError) {
        self.init(
            runID: shard.run.description, jobID: shard.jobName, shardIndex: shard.index, rowStart: shard.rowStart,
            rowCount: shard.rowCount, modelSHA256: job.model.sha256, tokenizerSHA256: job.model.tokenizerSHA256,
            datasetSHA256: job.dataSet.sha256, taskHash: job.task.hash, engine: engine.engine,
            engineBuild: engine.engineBuild, deviceKind: engine.deviceKind,
            settings: try Self.settings(job, engine), logitsMode: job.settings.logits,
            provenance: try Self.provenance(job))
    }

    private static func settings(
        _ job: JobSpecification, _ engine: EngineIdentity
    ) throws(ExecutionError) -> ResultSettings? {
        guard !engine.settings.isEmpty else { return nil }
        do {
            return ResultSettings(engine: engine.settingsJSON, promptsHash: try job.settings.promptsHash())
        } catch {
            throw ExecutionError(.permanent, "the job's settings can't be written as JSON: \(error)")
        }
    }

    /// The job's specification without the place of the model's file, which differs from machine to machine.
    private static func provenance(_ job: JobSpecification) throws(ExecutionError) -> String {
        var job = job
        job.model.path = ""
        do {
            return try job.json()
        } catch {
            throw ExecutionError(.permanent, "the job's specification can't be written as JSON: \(error)")
        }
    }
}

/// The values used last, a bounded number of them.
struct RecentValues<Key: Hashable, Value> {
    private var entries: [(key: Key, value: Value)] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    subscript(key: Key) -> Value? {
        mutating get {
            guard let index = self.entries.firstIndex(where: { $0.key == key }) else { return nil }
            let entry = self.entries.remove(at: index)
            self.entries.append(entry)
            return entry.value
        }
        set {
            self.entries.removeAll { $0.key == key }
            if let newValue { self.entries.append((key, newValue)) }
            if self.entries.count > self.limit { self.entries.removeFirst() }
        }
    }
}
