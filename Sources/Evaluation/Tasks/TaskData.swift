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
        guard let other = configuration.poolSplit else { return }
        self.fewShotPool =
            other == split
            ? self.evaluated
            : try DataSet.load(path: try configuration.dataFile(split: other, searchFolders: searchFolders))
    }

    /// Reads the splits that a task names, of a registered data set or from files.
    init(
        _ configuration: TaskConfiguration, searchFolders: [String], catalog: any DataSetCatalog
    ) async throws(TaskError) {
        guard let dataSet = configuration.dataSet else {
            try self.init(configuration, searchFolders: searchFolders)
            return
        }
        self = try await catalog.rows(
            of: dataSet, evaluated: configuration.evaluationSplit, fewShot: configuration.poolSplit)
    }
}

extension TaskConfiguration {
    /// The split that few-shot examples are read from.
    fileprivate var poolSplit: String? { self.fewShot.count > 0 ? self.fewShotSplit : nil }
}
