internal import Crypto

/// A task with parsed templates and its few-shot examples: what turns rows into requests and answers into scores.
///
/// Threads may share an instance.
public struct EvaluationTask: Sendable {
    public let configuration: TaskConfiguration
    /// Everything that prompts and scores depend on, as JSON; the task can be made from it alone.
    public let canonicalJSON: String
    /// The sha256 of `canonicalJSON`, 64 hexadecimal digits.
    public let taskHash: String
    /// The columns that every sample has, in order.
    public let metrics: [MetricDefinition]

    let prompts: PromptFormat
    let filters: [CompiledPipeline]
    let normalizers: [ExactMatch]

    /// - Parameter fewShotDocuments: The rows of the few-shot split, from the first on; those needed are kept.
    ///   Ignored if the task file lists its samples.
    public init(
        _ configuration: TaskConfiguration, fewShotDocuments: [JSONValue] = []
    ) throws(TaskError) {
        let samples = try configuration.neededSamples(from: configuration.fewShot.samples ?? fewShotDocuments)
        self.configuration = configuration
        self.canonicalJSON = configuration.canonical(samples: samples).text()
        self.taskHash = SHA256.hash(data: Array(self.canonicalJSON.utf8)).hexadecimal
        self.prompts = try PromptFormat(configuration, samples: samples)
        self.filters = try CompiledPipeline.compiled(configuration.filters)
        self.normalizers = try configuration.metrics.map { metric throws(TaskError) in
            try ExactMatch(metric.normalization)
        }
        self.metrics = configuration.columns
    }

    /// From the canonical JSON of another instance.
    public init(canonicalJSON: String) throws(TaskError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(canonicalJSON.utf8)
        } catch {
            throw TaskError(.invalidYAML, "the stored task is not valid JSON: \(error.message)")
        }
        let node = ConfigurationNode(value, file: "")
        try self.init(try TaskConfiguration(node, file: "", isResolved: true))
    }

    /// Reads a task file, the data set that it evaluates and its few-shot examples.
    ///
    /// - Parameter searchFolders: Where data files are looked for that are not beside the task file.
    public static func load(
        path: String, searchFolders: [String] = []
    ) throws(TaskError) -> (task: EvaluationTask, dataSet: DataSet) {
        let configuration = try TaskConfiguration.load(path: path)
        let split = configuration.evaluationSplit
        let dataSet = try DataSet.load(path: try configuration.dataFile(split: split, searchFolders: searchFolders))
        var documents: [JSONValue] = []
        if configuration.fewShot.count > 0, let fewShotSplit = configuration.fewShotSplit {
            let pool =
                fewShotSplit == split
                ? dataSet
                : try DataSet.load(
                    path: try configuration.dataFile(split: fewShotSplit, searchFolders: searchFolders))
            documents = try configuration.neededSamples(from: pool)
        }
        do throws(TaskError) {
            return (try EvaluationTask(configuration, fewShotDocuments: documents), dataSet)
        } catch {
            guard error.file.isEmpty else { throw error }
            var placed = error
            placed.file = path
            throw placed
        }
    }
}

extension TaskConfiguration {
    /// Whether a row is left out of its own examples: the examples come from the split that is evaluated.
    var dropsOwnDocument: Bool { self.fewShotSplit == self.evaluationSplit }

    /// The shortest start of `pool` that has enough examples for every row.
    ///
    /// A row's own copies are left out, so that may be more than one row more.
    fileprivate func neededSamples(from pool: [JSONValue]) throws(TaskError) -> [JSONValue] {
        var needed = SampleCount(wanted: self.fewShot.count, dropsOwn: self.dropsOwnDocument)
        var samples: [JSONValue] = []
        for document in pool where !needed.isEnough {
            samples.append(document)
            needed.add(document)
        }
        guard needed.isEnough else { throw self.tooFewSamples(pool.count) }
        return samples
    }

    fileprivate func neededSamples(from pool: DataSet) throws(TaskError) -> [JSONValue] {
        var needed = SampleCount(wanted: self.fewShot.count, dropsOwn: self.dropsOwnDocument)
        var samples: [JSONValue] = []
        for row in 0..<pool.rowCount where !needed.isEnough {
            let document = try pool.document(at: row).value
            samples.append(document)
            needed.add(document)
        }
        guard needed.isEnough else { throw self.tooFewSamples(pool.rowCount) }
        return samples
    }

    private func tooFewSamples(_ count: Int) -> TaskError {
        TaskError(
            .invalidData,
            "num_fewshot is \(self.fewShot.count), but the few-shot split \(self.fewShotSplit ?? "") has too few rows "
                + "(\(count)); lower it or add rows", file: self.file)
    }
}

private struct SampleCount {
    let wanted: Int
    let dropsOwn: Bool
    private var total = 0
    private var copies: [String: Int] = [:]
    private var most = 0

    init(wanted: Int, dropsOwn: Bool) {
        self.wanted = wanted
        self.dropsOwn = dropsOwn
    }

    var isEnough: Bool { self.total - self.most >= self.wanted }

    mutating func add(_ document: JSONValue) {
        self.total += 1
        guard self.dropsOwn else { return }
        let copies = self.copies[document.text(sortingKeys: true), default: 0] + 1
        self.copies[document.text(sortingKeys: true)] = copies
        self.most = max(self.most, copies)
    }
}

extension TaskConfiguration {
    /// One column for each filter and metric; without filters a column is called like its metric.
    fileprivate var columns: [MetricDefinition] {
        let filters = self.filters.isEmpty ? [""] : self.filters.map(\.name)
        return filters.flatMap { filter in
            self.metrics.map { entry in
                MetricDefinition(
                    name: entry.metric.rawValue + (filter.isEmpty ? "" : ",\(filter)"), metric: entry.metric,
                    filter: filter.isEmpty ? "none" : filter, aggregation: entry.metric.aggregation,
                    higherIsBetter: entry.higherIsBetter)
            }
        }
    }
}
