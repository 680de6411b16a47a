public import Evaluation

/// All that a report is a function of: a run's published results, read and checked.
public struct ReportInput: Sendable, Hashable {
    public var runID: String
    public var runName: String
    public var project: String
    /// In the run's order.
    public var jobs: [JobInput]

    public init(runID: String, runName: String, project: String, jobs: [JobInput]) {
        self.runID = runID
        self.runName = runName
        self.project = project
        self.jobs = jobs
    }
}

/// One job's published results: one model on one task.
public struct JobInput: Sendable, Hashable {
    /// The job's name within its project, such as "k3f9.1".
    public var name: String
    public var task: TaskInput
    public var model: ModelInput
    /// What computed the shards, in a fixed order; more than one if workers differed.
    public var engines: [EngineInput]
    /// sha256 of the data set's file.
    public var datasetSHA256: String
    /// Hash over every rendered prompt; nil where the job has none recorded.
    public var promptsHash: String?
    /// What the result files keep besides scores, such as "choices".
    public var logitsMode: String
    /// The job's settings as JSON text.
    public var settings: String
    public var shardCount: Int
    /// The job's logical digest: the same for every way of having computed the same results.
    public var digest: String
    /// The job's HDF5 file, relative to the store.
    public var resultPath: String
    /// The task's metrics, in the task's order.
    public var metrics: [MetricDefinition]
    public var samples: SampleColumns
    /// The groups that the task was submitted with.
    public var groups: [JobSpecification.Group] = []
    /// Jobs of equal work that samples were taken over from, and how many.
    public var reusedFrom: [String: Int] = [:]
    /// The job file lets the results come from several engines.
    public var allowsMixing = false
    /// The job asks for numbers that depend on their request alone.
    public var isStrict = false

    public init(
        name: String, task: TaskInput, model: ModelInput, engines: [EngineInput], datasetSHA256: String,
        promptsHash: String? = nil, logitsMode: String, settings: String, shardCount: Int, digest: String,
        resultPath: String, metrics: [MetricDefinition], samples: SampleColumns
    ) {
        self.name = name
        self.task = task
        self.model = model
        self.engines = engines
        self.datasetSHA256 = datasetSHA256
        self.promptsHash = promptsHash
        self.logitsMode = logitsMode
        self.settings = settings
        self.shardCount = shardCount
        self.digest = digest
        self.resultPath = resultPath
        self.metrics = metrics
        self.samples = samples
    }
}

/// The task as it was run.
public struct TaskInput: Sendable, Hashable {
    public var name: String
    /// The name to show, where the task gives one.
    public var alias: String?
    public var version: String?
    /// Hash over everything in the task that can change a prompt or a score.
    public var hash: String

    public init(name: String, alias: String? = nil, version: String? = nil, hash: String) {
        self.name = name
        self.alias = alias
        self.version = version
        self.hash = hash
    }
}

/// The model that answered.
public struct ModelInput: Sendable, Hashable {
    public var name: String
    /// sha256 of the weights' file.
    public var sha256: String
    public var tokenizerSHA256: String?
    /// Why its tokens may be other ones than those of its own tokenizer; nil if nothing speaks for it.
    public var tokenizerDoubt: String?

    public init(name: String, sha256: String, tokenizerSHA256: String? = nil, tokenizerDoubt: String? = nil) {
        self.tokenizerDoubt = tokenizerDoubt
        self.name = name
        self.sha256 = sha256
        self.tokenizerSHA256 = tokenizerSHA256
    }
}

/// What ran the model.
public struct EngineInput: Sendable, Hashable {
    public var name: String
    public var build: String
    /// The kind of device, such as "cpu".
    public var deviceKind: String
    /// A JSON object: what it was set to, and what it chose by itself; `nil` where results do not tell.
    public var settings: String?

    public init(name: String, build: String, deviceKind: String, settings: String? = nil) {
        self.settings = settings
        self.name = name
        self.build = build
        self.deviceKind = deviceKind
    }
}

/// A job's samples, in the dataset's order: a column for each thing that is known of them, all equally long.
public struct SampleColumns: Sendable, Hashable {
    /// What a metric says of each sample.
    public struct Metric: Sendable, Hashable {
        public var values: [Double]
        /// 1 where the metric is a mean over samples.
        public var weights: [Double]
        /// Term after term, as `Aggregation.terms` names them, one value per sample; none for most metrics.
        public var terms: [[Double]]

        public init(values: [Double] = [], weights: [Double] = [], terms: [[Double]] = []) {
            self.values = values
            self.weights = weights
            self.terms = terms
        }
    }

    public var sampleIDs: [String] = []
    /// What samples have in common with others; nil where the task names no cluster key.
    public var clusters: [String?] = []
    public var targets: [String] = []
    /// The predicted choice's number for multiple choice, the filtered text for generation, else empty.
    public var predictions: [String] = []
    /// One per metric of the job, in its order.
    public var metrics: [Metric]
    /// Why the generation ended ("stop", "eos", "length"); nil where no text was generated.
    public var finishReasons: [String?] = []
    public var promptTokens: [Int] = []
    public var generatedTokens: [Int] = []
    /// A prompt was cut on the left.
    public var isTruncated: [Bool] = []
    /// A filter found no answer in the generated text.
    public var isUnparsed: [Bool] = []

    /// No samples yet.
    ///
    /// - Parameter terms: For each metric, how many terms it has.
    public init(terms: [Int]) {
        self.metrics = terms.map { Metric(terms: [[Double]](repeating: [], count: $0)) }
    }

    public var count: Int { self.sampleIDs.count }

    /// The metric's terms, sample after sample.
    func termsBySample(ofMetric index: Int) -> [Double] {
        let terms = self.metrics[index].terms
        guard terms.count > 1 else { return terms.first ?? [] }
        var values: [Double] = []
        values.reserveCapacity(self.count * terms.count)
        for row in 0..<self.count {
            for term in terms { values.append(term[row]) }
        }
        return values
    }
}
