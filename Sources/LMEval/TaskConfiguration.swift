internal import ConfigFile
public import Datasets
public import Evaluation
public import JSON
public import OrderedCollections
internal import PythonCompat

/// A task file, checked: what lm-evaluation-harness calls a task's config, without code.
public struct TaskConfiguration: Sendable, Hashable {
    /// What gives a document's text.
    public enum Field: Sendable, Hashable {
        /// A column's name or a template.
        case text(String)
        case function(BuiltinFunction)
    }

    /// Column, template, number or list that gives a document's target.
    public enum Target: Sendable, Hashable {
        /// A column's name or a template.
        case text(String)
        case number(Int)
        /// Any of them is right.
        case list([JSONValue])
        case function(BuiltinFunction)
    }

    /// What gives a document's answer options.
    public enum Choices: Sendable, Hashable {
        /// A column's name or a template whose value is a list.
        case text(String)
        case list([String])
        case function(BuiltinFunction)
    }

    /// The task's name.
    public var name: String
    /// What reports call the task.
    public var alias: String?
    public var tags: [String]
    public var outputType: OutputType
    /// How data files are read; for a task from canonical JSON only what the rows were made by.
    public var dataReading: DataReading
    /// The registered data set whose splits the task reads; `nil` where it names files, or is from canonical JSON.
    public var dataSet: DataSetReference?
    /// Split -> files, as written in the task file and in its order; empty where the task names none.
    public var dataFiles: OrderedDictionary<String, [String]>
    public var trainingSplit: String?
    public var validationSplit: String?
    public var testSplit: String?
    /// What makes of a row the one that the task sees; it was applied to the rows of a task from canonical JSON.
    public var processDocs: BuiltinFunction?
    /// What computes the metrics; `nil` for those of the output type.
    public var processResults: BuiltinFunction?
    public var docToText: Field
    public var docToTarget: Target
    public var docToChoice: Choices?
    /// Whether digits that doc_to_text renders are the number of the right choice, or a text; `nil` where a row that has
    /// nothing else is an error.
    public var multipleInput: Bool?
    /// Whether every target is a list of which any is right, or none; `nil` where each row says so itself.
    public var multipleTarget: Bool?
    /// A column's name or a template; stands before everything else.
    public var taskDescription: String
    public var targetDelimiter: String
    public var fewShotDelimiter: String
    /// A column's name or a template; how the model's answer begins.
    public var genPrefix: String?
    public var fewShot: FewShot
    public var generation: Generation?
    /// How many texts are generated for each row, and filtered together.
    public var repeats: Int
    /// How often each row's texts are generated and scored; a sample's value is the mean; not in lm-eval.
    public var epochs: Int
    /// The texts are programs, which pass or fail together with the target.
    public var runsCode: Bool
    /// In the order of the file; empty means one filter "none" that changes nothing.
    public var filters: [FilterPipeline]
    public var metrics: [MetricConfiguration]
    public var shouldDecontaminate: Bool
    public var decontaminationQuery: String?
    /// As written; its `version` is the task's.
    public var metadata: JSONValue
    /// The file as the caller named it; empty for a task from canonical JSON.
    public var file: String
    /// What in the file has no effect, to be told to its author.
    public var notes: [String]

    /// The version in the metadata; empty if there is none.
    public var version: String { self.metadata["version"].map(PythonText.str) ?? "" }

    /// The column that says which rows belong together, such as questions on the same passage; `nil` if none do.
    ///
    /// It stands in the metadata, so that lm-eval reads the file as well.
    public var clusterKey: String? { self.metadata["cluster_key"]?.string }

    /// The split that is evaluated: test, else validation.
    public var evaluationSplit: String { self.testSplit ?? self.validationSplit ?? "" }

    /// The split that the few-shot examples come from; `nil` if the file lists them.
    ///
    /// As in lm-eval: the split named, else training, validation, test.
    public var fewShotSplit: String? {
        if let split = self.fewShot.split { return split }
        if self.fewShot.samples != nil { return nil }
        return self.trainingSplit ?? self.validationSplit ?? self.testSplit
    }

    /// Whether a row is left out of its own examples.
    ///
    /// As in lm-eval: where the split named for examples is the test split, or where neither is named.
    var dropsOwnDocument: Bool { self.fewShot.split == self.testSplit }
}

extension TaskConfiguration {
    /// The filters, or without any one that takes the first text unless a metric needs several.
    var usedFilters: [FilterPipeline] {
        guard self.filters.isEmpty else { return self.filters }
        return [.plain(takesFirst: !self.metrics.contains { $0.metric.neededRepeats != nil })]
    }

    /// Refuses what needs more texts than a row gets, and says where several are of no use.
    mutating func checkRepeats(_ reader: MappingReader) throws(TaskError) {
        guard self.outputType == .generateUntil else {
            if self.repeats > 1 { self.notes.append("repeats has no effect where nothing is generated") }
            if self.epochs > 1 { self.notes.append("epochs has no effect where nothing is generated") }
            self.repeats = 1
            self.epochs = 1
            return
        }
        for metric in self.metrics {
            guard let needed = metric.metric.neededRepeats, needed > self.repeats else { continue }
            throw reader.place.error(
                .invalidValue,
                "\(metric.metric.rawValue) needs \(needed) texts for each row, but repeats is \(self.repeats); raise it"
            )
        }
        for pipeline in self.filters {
            let needs = self.metrics.first { $0.metric.neededRepeats != nil }
            if let needs, pipeline.filters.contains(.takeFirst) || pipeline.filters.contains(.majorityVote) {
                throw reader.place.error(
                    .invalidValue,
                    "\(needs.metric.rawValue) needs all texts of a row, but the filter \(pipeline.name) leaves one; remove "
                        + "take_first and majority_vote")
            }
            for case .takeFirstK(let count) in pipeline.filters where count > self.repeats {
                throw reader.place.error(
                    .invalidValue,
                    "the filter \(pipeline.name) takes \(count) texts of each row, but repeats is \(self.repeats); raise it"
                )
            }
        }
        try self.checkEpochs(reader.place)
        for (key, count) in [("repeats", self.repeats), ("epochs", self.epochs)] where count > 1 {
            guard self.generation?.sampling == nil else { continue }
            self.notes.append("\(key) is \(count), but greedy texts never differ; set do_sample and temperature")
        }
    }

    /// Refuses epochs where a metric's terms have no mean.
    func checkEpochs(_ place: ConfigurationNode.Place) throws(TaskError) {
        guard self.epochs > 1, let entry = self.metrics.first(where: { $0.aggregation == .bestThreshold }) else {
            return
        }
        throw place.error(
            .invalidValue, "\(entry.metric.name) can't be put together over epochs; leave epochs out, or this metric")
    }

    /// Refuses metrics that say nothing about programs, and programs that nothing says which are right.
    func checkCode(_ reader: MappingReader) throws(TaskError) {
        guard self.runsCode else { return }
        guard self.outputType == .generateUntil, self.processResults == nil else {
            throw reader.place.error(
                .invalidValue, "unsafe_code is for output_type generate_until without process_results")
        }
        for entry in self.metrics where !entry.metric.judgesPrograms {
            throw reader.place.error(
                .invalidValue,
                "unsafe_code is true, so the metric \(entry.metric.name) can't be computed; use pass@k, such as pass@1")
        }
    }
}

extension TaskConfiguration {
    /// What the cluster key's column says of a row; `nil` if the task names no cluster key.
    func cluster(of document: Document) throws(TaskError) -> String? {
        guard let key = self.clusterKey else { return nil }
        switch document.value[key] {
        case nil, .null?, .array?, .object?:
            throw TaskError(
                .invalidSample,
                "row \(document.row) has no text or number in the column \(key), which metadata.cluster_key names")
        case let value?: return PythonText.str(value)
        }
    }
}

extension TaskConfiguration {
    /// From the canonical JSON of a task.
    public init(canonicalJSON: String) throws(TaskError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parseStored(canonicalJSON.utf8)
        } catch {
            throw TaskError(.invalidYAML, "the stored task is not valid JSON: \(error.message)")
        }
        try self.init(ConfigurationNode(value, file: ""), file: "", isResolved: true)
    }

    /// One column for each filter and metric; without filters a column is called like its metric.
    public var columns: [MetricDefinition] {
        let filters = self.filters.isEmpty ? [""] : self.filters.map(\.name)
        return filters.flatMap { filter in
            self.metrics.map { entry in
                MetricDefinition(
                    name: entry.metric.name + (filter.isEmpty ? "" : ",\(filter)"), metric: entry.metric,
                    filter: filter.isEmpty ? "none" : filter, aggregation: entry.aggregation,
                    higherIsBetter: entry.higherIsBetter)
            }
        }
    }
}

/// A data set that a task file names, as on the Hugging Face Hub; where its rows are is a catalog's business.
public struct DataSetReference: Sendable, Hashable, CustomStringConvertible {
    /// The task file's `dataset_path`: "allenai/ai2_arc".
    public var path: String
    /// The task file's `dataset_name`: "ARC-Easy".
    public var name: String?

    public init(path: String, name: String? = nil) {
        self.path = path
        self.name = name
    }

    public var description: String { self.name.map { "\(self.path) (\($0))" } ?? self.path }

    /// What `dataset_path` may be without being a data set's name: how files are to be read.
    public static let fileFormats: Set<String> = ["arrow", "csv", "json", "parquet", "text"]
}

extension DataSetReference {
    /// Reads what else a task file says of the data set `path`.
    init(_ path: String, _ reader: inout MappingReader, notes: inout [String]) throws(TaskError) {
        self.init(path: path, name: try reader.string("dataset_name"))
        guard let arguments = reader.node("dataset_kwargs") else { return }
        guard case .mapping(let members) = arguments.content else {
            throw reader.wrong("dataset_kwargs", arguments, "a mapping (key: value)")
        }
        guard !members.isEmpty else { return }
        notes.append(
            "dataset_kwargs (\(members.map(\.key).joined(separator: ", "))) has no effect: the rows are those that are "
                + "registered as \(self)")
    }
}

extension TaskConfiguration {
    /// How examples are put before the question; each part is as for the question itself unless it is given.
    public struct FewShot: Sendable, Hashable {
        /// Which rows become examples.
        public enum Sampler: String, Sendable, Hashable, CaseIterable {
            /// Drawn for each row, as lm-eval's default sampler draws them.
            case random = "default"
            case firstN = "first_n"
        }

        public var count = 0
        /// The file says that there are none, which lm-eval lets nobody change.
        var isNone = false
        public var sampler = Sampler.random
        /// The random stream's seed; lm-eval's unless set.
        public var seed = FewShotDraws.defaultSeed
        public var split: String?
        /// The examples themselves; `nil` if they are rows of the split.
        public var samples: [JSONValue]?
        /// Rows of the split that may become examples; `nil` for all.
        public var indices: [Int]?
        public var docToText: Field?
        public var docToTarget: Target?
        public var docToChoice: Choices?
        public var genPrefix: String?
        public var targetDelimiter: String?
        public var delimiter: String?
        /// The data set that examples are drawn from, in a task from canonical JSON.
        public var pool: Pool?
    }

    /// A data set named by its content.
    public struct Pool: Sendable, Hashable {
        public var sha256: String
        public var rows: Int

        public init(sha256: String, rows: Int) {
            self.sha256 = sha256
            self.rows = rows
        }
    }
}

extension TaskConfiguration {
    /// How text is generated.
    public struct Generation: Sendable, Hashable {
        public var until: [String]
        public var maxTokens: Int
        /// `nil` for the most likely tokens.
        public var sampling: Sampling?
        /// What the text must look like; `nil` for anything; not in lm-eval.
        public var constraint: TextConstraint?

        public init(until: [String], maxTokens: Int, sampling: Sampling? = nil, constraint: TextConstraint? = nil) {
            self.constraint = constraint
            self.until = until
            self.maxTokens = maxTokens
            self.sampling = sampling
        }
    }
}

/// One entry of a task's metric list.
public struct MetricConfiguration: Sendable, Hashable {
    public var metric: Metric
    public var aggregation: Aggregation
    public var higherIsBetter: Bool
    public var normalization: ExactMatchNormalization

    init(_ metric: Metric) {
        self.metric = metric
        self.aggregation = metric.aggregation
        self.higherIsBetter = metric.higherIsBetter
        self.normalization = .none
    }
}
