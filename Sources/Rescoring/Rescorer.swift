internal import Datasets
internal import Evaluation
internal import Execution
internal import Inference
internal import JobQueue
internal import LMEval
internal import ResultStore
internal import WorkerLogic

/// Scores the answers of finished jobs again: what a worker runs instead of a model.
struct Rescorer: ShardProcessor {
    let store: Store
    /// By the new job's name.
    let sources: [String: (job: RescoredJob, pair: TaskPair)]

    func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard {
        guard let source = self.sources[shard.jobName], source.job.results.indices.contains(shard.index) else {
            throw ExecutionError(.permanent, "nothing is known of what job \(shard.jobName) is scored from")
        }
        let result = source.job.results[shard.index]
        guard result.range == shard.range else {
            throw ExecutionError(.permanent, "shard \(shard.index) of job \(source.job.name) has other rows")
        }
        let specification: JobSpecification
        let stored: Shard
        do {
            specification = try JobSpecification(json: shard.specification)
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
        do {
            stored = try await self.store.readShard(result.publication.path, sha256: result.publication.sha256)
        } catch {
            // No other process has what this one knows: a result that is not there fails the shard.
            let reason = ExecutionError(reading: error)
            throw reason.code == .nodeFault ? ExecutionError(.permanent, reason.message) : reason
        }
        return RescoredShard(
            store: self.store, shard: shard, job: specification, pair: source.pair, stored: stored)
    }
}

/// A shard on its way from old scores to new ones.
private struct RescoredShard: PreparedShard, ComputedShard {
    let store: Store
    let shard: ClaimedShard
    let job: JobSpecification
    let pair: TaskPair
    let stored: Shard

    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard { self }

    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication {
        var samples: [SampleResult] = []
        do {
            for stored in self.stored.samples {
                samples.append(try self.pair.scored.rescore(try self.pair.sample(row: stored.row), stored))
                sign()
            }
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
        let before = self.stored.header
        let engine = EngineIdentity(
            engine: before.engine, engineBuild: before.engineBuild, deviceKind: before.deviceKind, modelName: "")
        var header = try ShardHeader(self.shard, job: self.job, engine: engine)
        header.settings = before.settings
        return try await self.store.publish(samples, of: self.shard, header: header)
    }
}

/// A finished job whose answers are to be scored again.
struct RescoredJob: Sendable {
    /// Run and job.
    let name: String
    let specification: JobSpecification
    /// By shard, complete.
    let results: [ShardResult]

    /// The rows of each shard, in order.
    var shards: [ShardRange] { self.results.map(\.range) }

    /// Throws `unfinished` if a shard is missing.
    init(name: String, specification: JobSpecification, results: [ShardResult]) throws(RescoringError) {
        let sorted = results.sorted { $0.key.index < $1.key.index }
        let rows = sorted.reduce(0) { $0 + $1.range.rowCount }
        guard sorted.map(\.key.index) == Array(sorted.indices), rows == specification.dataSet.rows else {
            throw RescoringError(
                .unfinished, "job \(name) is not finished: \(rows) of \(specification.dataSet.rows) rows have results")
        }
        self.name = name
        self.specification = specification
        self.results = sorted
    }
}

/// Two tasks on the same rows: one that a model answered, and one to score its answers by.
struct TaskPair: Sendable {
    let answered: EvaluationTask
    let scored: EvaluationTask
    private let dataSet: DataSet
    private let style: PromptStyle

    /// - Parameter data: What the answered job worked on.
    init(
        answered: JobSpecification, by scored: EvaluationTask, data: TaskData
    ) throws(RescoringError) {
        do throws(TaskError) {
            self.answered = try EvaluationTask(
                canonicalJSON: answered.task.configuration, data, rows: answered.dataSet.rows)
            self.style = try answered.settings.promptStyle()
        } catch {
            throw RescoringError(.invalidTask, "\(error)")
        }
        let epochs = (self.answered.configuration.epochs, scored.configuration.epochs)
        guard epochs.0 == epochs.1 else {
            throw RescoringError(
                .otherEpochs(answered: epochs.0), "the run has \(epochs.0) epochs and the task \(epochs.1)")
        }
        self.scored = scored
        self.dataSet = data.evaluated
    }

    /// The sample of a row as the task to score by has it.
    ///
    /// - Throws: `otherPrompts` if the model would be asked something else.
    func sample(row: Int) throws(RescoringError) -> PreparedSample {
        let (sample, before): (PreparedSample, PreparedSample)
        do throws(TaskError) {
            let document = try self.dataSet.document(at: row)
            sample = try self.scored.prepare(document, style: self.style)
            before = try self.answered.prepare(document, style: self.style)
        } catch {
            throw RescoringError(.invalidTask, "\(error)")
        }
        guard sample.asksTheSame(as: before) else {
            throw RescoringError(.otherPrompts, "row \(row): the model would be asked something else than it was")
        }
        return sample
    }
}
