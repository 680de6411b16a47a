internal import Evaluation
internal import FoundationEssentials
internal import Inference
public import JobQueue
public import ResultStore

/// Computes a shard: rows to prompts to requests to responses to scores to a published file.
///
/// What it publishes is a function of the job's specification, the shard's range and the engine, and of nothing else.
public actor ShardRunner: ShardProcessor {
    private let store: Store
    private let engines: any EngineProvider
    private var tasks = RecentValues<String, EvaluationTask>(limit: 8)
    private var dataSets = RecentValues<String, DataSet>(limit: 4)

    public init(store: Store, engines: any EngineProvider) {
        self.store = store
        self.engines = engines
    }

    public func process(
        _ shard: ClaimedShard, progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> ShardPublication {
        let job = try Self.specification(of: shard)
        let task = try self.task(of: job)
        let dataSet = try await self.dataSet(of: job)
        let work = try ShardWork(task: task, dataSet: dataSet, range: shard.range)
        try Self.checkCancellation()
        let engine = try await self.engines.engine(for: job)
        let requests = try work.tokenized(by: engine)
        let responses: [EngineResponse]
        do {
            let counter = SampleCounter(requests)
            responses = try await engine.run(requests.flat) { done in
                progress(counter.samples(finishedWith: done.requestsDone), done.computedTokens)
            }
        } catch {
            throw ExecutionError(engineError: error)
        }
        let samples = try work.scored(requests, responses, mode: job.settings.logits)
        try Self.checkCancellation()
        let header = try ShardHeader(shard, job: job, engine: engine)
        do {
            let file = try await self.store.publishShard(
                header, samples: samples, epoch: shard.epoch.rawValue, incarnation: shard.incarnation.uuid)
            return ShardPublication(
                path: file.path, bytes: Int64(file.bytes), sha256: file.sha256, digest: file.digest,
                samples: samples.count, tokens: samples.reduce(0) { $0 + $1.promptTokens + $1.generatedTokens },
                seconds: 0)
        } catch {
            throw ExecutionError(error.code == .invalidInput ? .permanent : .transient, "\(error)")
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

    private func task(of job: JobSpecification) throws(ExecutionError) -> EvaluationTask {
        if let task = self.tasks[job.task.hash] { return task }
        do {
            let task = try EvaluationTask(canonicalJSON: job.task.configuration)
            guard task.taskHash == job.task.hash else {
                throw ExecutionError(
                    .permanent,
                    "task '\(job.task.name)' has hash \(task.taskHash) here and \(job.task.hash) where it was submitted: "
                        + "submitter and worker are of different versions")
            }
            self.tasks[job.task.hash] = task
            return task
        } catch let error as ExecutionError {
            throw error
        } catch {
            throw ExecutionError(.permanent, "task '\(job.task.name)': \(error)")
        }
    }

    private func dataSet(of job: JobSpecification) async throws(ExecutionError) -> DataSet {
        if let dataSet = self.dataSets[job.dataSet.sha256] { return dataSet }
        let bytes: [UInt8]
        do {
            bytes = try await self.store.dataSet(sha256: job.dataSet.sha256)
        } catch {
            throw ExecutionError(.transient, "\(error)")
        }
        do {
            let dataSet = try DataSet(jsonl: bytes)
            self.dataSets[job.dataSet.sha256] = dataSet
            return dataSet
        } catch {
            throw ExecutionError(.permanent, "data set \(job.dataSet.sha256): \(error)")
        }
    }

    private static func checkCancellation() throws(ExecutionError) {
        if Task.isCancelled { throw ExecutionError(.cancelled, "stopped") }
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
