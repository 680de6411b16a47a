public import Datasets
public import Evaluation
internal import JSON
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

extension TaskData {
    /// The rows as the task's process_docs makes them, which is done once, before anything is stored or hashed.
    func processed(by configuration: TaskConfiguration) throws(TaskError) -> TaskData {
        guard let function = configuration.processDocs else { return self }
        guard let process = BuiltinFunction.documents[function.name] else {
            throw TaskError(
                .unsupported, "process_docs: \(function.name) makes no rows of rows", file: configuration.file)
        }
        var data = self
        data.evaluated = try self.evaluated.mapped(process)
        if let pool = self.fewShotPool {
            data.fewShotPool = pool.sha256 == self.evaluated.sha256 ? data.evaluated : try pool.mapped(process)
        }
        return data
    }
}

extension DataSet {
    /// The rows that `change` makes of these; those for which it gives none are left out.
    func mapped(_ change: BuiltinFunction.DocumentFunction) throws(TaskError) -> DataSet {
        var jsonl: [UInt8] = []
        for row in 0..<self.rowCount {
            do throws(TaskError) {
                guard let changed = try change(try self.document(at: row).value) else { continue }
                changed.stored.write(to: &jsonl, sortingKeys: false)
                jsonl.append(UInt8(ascii: "\n"))
            } catch {
                throw TaskError(error.code, "row \(row): \(error.message)", file: self.file)
            }
        }
        return try DataSet(jsonl: jsonl, file: self.file, notes: self.notes)
    }
}

/// Knows data sets by name.
public protocol DataSetCatalog: Sendable {
    /// The rows of the split that is evaluated, and of the one that few-shot examples come from.
    ///
    /// - Throws: `TaskError` that says what is registered, and how to register what is missing.
    func rows(
        of dataSet: DataSetReference, evaluated: String, fewShot: String?
    ) async throws(TaskError) -> TaskData
}

/// For tasks whose rows are in files.
public struct NoDataSets: DataSetCatalog {
    public init() {}

    public func rows(
        of dataSet: DataSetReference, evaluated: String, fewShot: String?
    ) async throws(TaskError) -> TaskData {
        throw dataSet.isNotLookedFor()
    }
}

extension DataSetReference {
    func isNotLookedFor(in file: String = "") -> TaskError {
        TaskError(
            .unreadableFile,
            "the rows are those of the registered data set \(self), which is not looked for here; name files in "
                + "dataset_kwargs.data_files", file: file)
    }
}
