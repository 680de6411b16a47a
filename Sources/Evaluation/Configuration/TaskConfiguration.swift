/// A task file, checked: what lm-evaluation-harness calls a task's config, without code.
public struct TaskConfiguration: Sendable, Hashable {
    /// Column, template or number that gives a document's target.
    public enum Target: Sendable, Hashable {
        /// A column's name or a template.
        case text(String)
        case number(Int)
    }

    /// What gives a document's answer options.
    public enum Choices: Sendable, Hashable {
        /// A column's name or a template whose value is a list.
        case text(String)
        case list([String])
    }

    /// How examples are put before the question; each part is as for the question itself unless it is given.
    public struct FewShot: Sendable, Hashable {
        public var count = 0
        public var split: String?
        /// The examples themselves; `nil` if they are the first rows of the split.
        public var samples: [JSONValue]?
        public var docToText: String?
        public var docToTarget: Target?
        public var docToChoice: Choices?
        public var targetDelimiter: String?
        public var delimiter: String?
    }

    /// How text is generated; always greedily.
    public struct Generation: Sendable, Hashable {
        public var until: [String]
        public var maxTokens: Int
    }

    /// The task's name.
    public var name: String
    /// What reports call the task.
    public var alias: String?
    public var tags: [String]
    public var outputType: OutputType
    /// "json" or "csv"; `nil` for a task from canonical JSON.
    public var dataFormat: String?
    /// Split -> file, as written in the task file; empty for a task from canonical JSON.
    public var dataFiles: [String: String]
    public var trainingSplit: String?
    public var validationSplit: String?
    public var testSplit: String?
    /// A column's name or a template.
    public var docToText: String
    public var docToTarget: Target
    public var docToChoice: Choices?
    /// A column's name or a template; stands before everything else.
    public var taskDescription: String
    public var targetDelimiter: String
    public var fewShotDelimiter: String
    public var fewShot: FewShot
    public var generation: Generation?
    /// In the order of the file; empty means one filter "none" that changes nothing.
    public var filters: [FilterPipeline]
    public var metrics: [MetricConfiguration]
    public var shouldDecontaminate: Bool
    public var decontaminationQuery: String?
    /// As written; its `version` is the task's.
    public var metadata: JSONValue
    /// The file as the caller named it; empty for a task from canonical JSON.
    public var file: String

    /// The version in the metadata; empty if there is none.
    public var version: String { self.metadata["version"].map(PythonText.str) ?? "" }

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
}

/// What a task asks of a model.
public enum OutputType: String, Sendable, Hashable, CaseIterable, Codable {
    case multipleChoice = "multiple_choice"
    case loglikelihood
    case loglikelihoodRolling = "loglikelihood_rolling"
    case generateUntil = "generate_until"

    /// The metrics that can be computed from the answers; those of lm-eval's default come first.
    public var metrics: [Metric] {
        switch self {
        case .multipleChoice: [.acc, .accNorm, .exactMatch]
        case .loglikelihood: [.perplexity, .acc]
        case .loglikelihoodRolling: [.wordPerplexity, .bytePerplexity, .bitsPerByte]
        case .generateUntil: [.exactMatch]
        }
    }

    var defaultMetrics: [Metric] { self == .multipleChoice ? [.acc, .accNorm] : self.metrics }
}

/// Filters that a generated text passes one after the other.
public struct FilterPipeline: Sendable, Hashable {
    public var name: String
    public var filters: [Filter]

    public enum Filter: Sendable, Hashable {
        /// The `group`-th match (negative: from the end), its first group that is not empty, stripped.
        case regex(pattern: String, group: Int, fallback: String)
        case removeWhitespace
        case takeFirst
    }
}

/// One entry of a task's metric list.
public struct MetricConfiguration: Sendable, Hashable {
    public var metric: Metric
    public var higherIsBetter: Bool
    public var normalization: ExactMatchNormalization
}

/// What exact_match ignores, applied in this order to both sides.
public struct ExactMatchNormalization: Sendable, Hashable {
    public var regexesToIgnore: [String] = []
    public var ignoreCase = false
    public var ignorePunctuation = false
    public var ignoreNumbers = false
}
