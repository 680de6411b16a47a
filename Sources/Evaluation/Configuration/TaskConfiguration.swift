public import OrderedCollections
internal import PythonCompat

/// A task file, checked: what lm-evaluation-harness calls a task's config, without code.
public struct TaskConfiguration: Sendable, Hashable {
    /// What gives a document's text.
    public enum Field: Sendable, Hashable {
        /// A column's name or a template.
        case text(String)
        case function(NativeFunction)
    }

    /// Column, template, number or list that gives a document's target.
    public enum Target: Sendable, Hashable {
        /// A column's name or a template.
        case text(String)
        case number(Int)
        /// Any of them is right.
        case list([JSONValue])
        case function(NativeFunction)
    }

    /// What gives a document's answer options.
    public enum Choices: Sendable, Hashable {
        /// A column's name or a template whose value is a list.
        case text(String)
        case list([String])
        case function(NativeFunction)
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
    public var processDocs: NativeFunction?
    /// What computes the metrics; `nil` for those of the output type.
    public var processResults: NativeFunction?
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

/// What a task asks of a model.
public enum OutputType: String, Sendable, Hashable, CaseIterable, Codable {
    case multipleChoice = "multiple_choice"
    case loglikelihood
    case loglikelihoodRolling = "loglikelihood_rolling"
    case generateUntil = "generate_until"
}
