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
