internal import OrderedCollections

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

    /// What typing changed of the files, to be told to their author.
    var notes: [String] {
        var notes = self.evaluated.notes
        for note in self.fewShotPool?.notes ?? [] where !notes.contains(note) {
            notes.append("few-shot split: \(note)")
        }
        return notes
    }

    /// Reads the files that a task names.
    init(_ configuration: TaskConfiguration, searchFolders: [String]) throws(TaskError) {
        func rows(_ split: String) throws(TaskError) -> DataSet {
            // As in lm-eval, the first split decides what columns hold; where it is not there, each split does.
            var first: String?
            if let decisive = configuration.dataFiles.keys.first, decisive != split {
                first = try? configuration.dataFiles(split: decisive, searchFolders: searchFolders).first
            }
            return try DataSet.load(
                paths: try configuration.dataFiles(split: split, searchFolders: searchFolders),
                reading: configuration.dataReading, first: first)
        }
        let split = configuration.evaluationSplit
        self.evaluated = try rows(split)
        guard let other = configuration.poolSplit else { return }
        self.fewShotPool = other == split ? self.evaluated : try rows(other)
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
