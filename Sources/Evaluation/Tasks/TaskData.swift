/// The rows that a task works on.
public struct TaskData: Sendable {
    /// What is evaluated.
    public var evaluated: DataSet
    /// The split that few-shot examples come from; `nil` if the task has none or lists them.
    public var fewShotPool: DataSet?

    public init(evaluated: DataSet, fewShotPool: DataSet? = nil) {
        self.evaluated = evaluated
        self.fewShotPool = fewShotPool
    }

    /// Reads the files that a task names.
    init(_ configuration: TaskConfiguration, searchFolders: [String]) throws(TaskError) {
        let split = configuration.evaluationSplit
        self.evaluated = try DataSet.load(
            path: try configuration.dataFile(split: split, searchFolders: searchFolders))
        guard configuration.fewShot.count > 0, let other = configuration.fewShotSplit else { return }
        self.fewShotPool =
            other == split
            ? self.evaluated
            : try DataSet.load(path: try configuration.dataFile(split: other, searchFolders: searchFolders))
    }
}
