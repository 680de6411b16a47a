public import Evaluation
public import JobQueue
internal import ResultStore

/// A finished job whose answers are to be scored anew.
public struct RescoredJob: Sendable {
    /// Run and job.
    public let name: String
    public let specification: JobSpecification
    /// By shard, complete.
    let results: [ShardResult]

    /// The rows of each shard, in order.
    public var shards: [ShardRange] { self.results.map(\.range) }

    /// Throws `permanent` if a shard is missing.
    public init(name: String, specification: JobSpecification, results: [ShardResult]) throws(ExecutionError) {
        let sorted = results.sorted { $0.key.index < $1.key.index }
        let rows = sorted.reduce(0) { $0 + $1.range.rowCount }
        guard sorted.map(\.key.index) == Array(sorted.indices), rows == specification.dataSet.rows else {
            throw ExecutionError(
                .permanent, "job \(name) is not finished: \(rows) of \(specification.dataSet.rows) rows have results")
        }
        self.name = name
        self.specification = specification
        self.results = sorted
    }
}

/// Two tasks on the same rows: one that a model answered, and one to score its answers by.
public struct TaskPair: Sendable {
    let answered: EvaluationTask
    let scored: EvaluationTask
    private let dataSet: DataSet
    private let style: PromptStyle

    /// - Parameter data: What the answered job worked on.
    public init(
        answered: JobSpecification, by scored: EvaluationTask, data: TaskData
    ) throws(TaskError) {
        self.answered = try EvaluationTask(
            canonicalJSON: answered.task.configuration, data, rows: answered.dataSet.rows)
        let epochs = (self.answered.configuration.epochs, scored.configuration.epochs)
        guard epochs.0 == epochs.1 else {
            throw TaskError(
                .invalidSample, "the run has \(epochs.0) epochs and the task \(epochs.1); give --epochs \(epochs.0)")
        }
        self.scored = scored
        self.dataSet = data.evaluated
        self.style = try answered.settings.promptStyle()
    }

    /// The sample of a row as the task to score by has it.
    ///
    /// - Throws: `TaskError` if the model would be asked something else.
    public func sample(row: Int) throws(TaskError) -> PreparedSample {
        let document = try self.dataSet.document(at: row)
        let sample = try self.scored.prepare(document, style: self.style)
        let before = try self.answered.prepare(document, style: self.style)
        guard sample.asksTheSame(as: before) else {
            throw TaskError(
                .invalidSample,
                "row \(row): the model would be asked something else than it was; see the difference with `assay task "
                    + "preview --diff`, and run the task instead")
        }
        return sample
    }
}
