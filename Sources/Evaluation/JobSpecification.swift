internal import FoundationEssentials

/// Everything that decides a job's results but the shard's range: model, task, data and settings.
///
/// It travels from the submitter to the workers as JSON and stands in every result file.
public struct JobSpecification: Codable, Sendable, Hashable {
    /// The version of this structure.
    public var schema = 1
    public var model: Model
    public var task: Task
    public var dataSet: DataSet
    /// What few-shot examples are drawn from; `nil` if the task lists them or has none.
    public var fewShotPool: DataSet?
    public var settings: Settings
    /// The job whose answers were scored again; `nil` where a model answered.
    public var rescoredFrom: Source?
    /// The groups that the task was submitted with, the outermost first; `nil` for none.
    public var groups: [Group]?

    /// Another job, and what it was.
    public struct Source: Codable, Sendable, Hashable {
        /// Run and job, such as "k3f9m2ab.1".
        public var job: String
        public var taskHash: String
        /// Of all its results.
        public var digest: String

        public init(job: String, taskHash: String, digest: String) {
            self.job = job
            self.taskHash = taskHash
            self.digest = digest
        }
    }

    public init(
        model: Model, task: Task, dataSet: DataSet, fewShotPool: DataSet? = nil, settings: Settings
    ) {
        self.model = model
        self.task = task
        self.dataSet = dataSet
        self.fewShotPool = fewShotPool
        self.settings = settings
    }

    /// As JSON with sorted keys; equal specifications give equal bytes.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    public init(json: String) throws {
        self = try JSONDecoder().decode(JobSpecification.self, from: Data(json.utf8))
    }

    public struct Model: Codable, Sendable, Hashable {
        /// The name it was registered under; not part of what is compared.
        public var name: String
        /// Where workers find the file, whose hash they check; not part of what is compared.
        public var path: String
        public var sha256: String
        public var tokenizerSHA256: String
        /// Why its tokens may be other ones than those of its own tokenizer; `nil` if nothing speaks for it.
        public var tokenizerDoubt: String?

        public init(
            name: String, path: String, sha256: String, tokenizerSHA256: String, tokenizerDoubt: String? = nil
        ) {
            self.tokenizerDoubt = tokenizerDoubt
            self.name = name
            self.path = path
            self.sha256 = sha256
            self.tokenizerSHA256 = tokenizerSHA256
        }
    }

    public struct Task: Codable, Sendable, Hashable {
        public var name: String
        public var hash: String
        /// The task as canonical JSON, few-shot examples included.
        public var configuration: String
        /// The columns of results, in the task's order; `nil` in jobs of releases before 0.3.
        public var metrics: [MetricDefinition]?
        /// What reports call the task; `nil` for its name.
        public var alias: String?
        /// The task's own version; `nil` if it has none.
        public var version: String?

        public init(
            name: String, hash: String, configuration: String, metrics: [MetricDefinition]? = nil,
            alias: String? = nil, version: String? = nil
        ) {
            self.name = name
            self.hash = hash
            self.configuration = configuration
            self.metrics = metrics
            self.alias = alias
            self.version = version
        }
    }

    public struct DataSet: Codable, Sendable, Hashable {
        /// Of the JSONL bytes in the store.
        public var sha256: String
        /// Rows that the job uses, from the first; of a pool all.
        public var rows: Int

        public init(sha256: String, rows: Int) {
            self.sha256 = sha256
            self.rows = rows
        }
    }

    public struct Settings: Codable, Sendable, Hashable {
        /// Tokens of context and continuation: what was set, else what the model was trained with.
        ///
        /// `nil` in jobs of older releases: what the model was trained with, at most 8192.
        public var maxLength: Int?
        /// `nil`: truncate.
        public var overflow: OverflowPolicy?
        /// Tokens that one decode takes; part of the result, since batches decide how sums round.
        public var batchTokens: Int
        /// Sequences that are scored together.
        public var maxSequences: Int
        /// Sequences that are generated together.
        public var generationSlots: Int
        /// MiB that keys and values may take; `nil`: as many as the device has, and 4096 to choose slots by.
        ///
        /// Part of the result, since it decides how many texts are generated together.
        public var cacheMegabytes: Int?
        public var logits: LogitsMode
        /// Samples in a shard; part of the result, since batches do not cross shards.
        public var shardSize: Int
        /// `nil`: prompts are plain text.
        public var chat: Chat?
        /// Stands before a task's description.
        public var systemInstruction: String?
        /// How texts become tokens, and tokens texts; `nil`: as lm-eval does it.
        public var tokens: TokenRules?
        /// `nil`: `plan`.
        public var invariance: Invariance?
        /// Samples are taken over from results of equal work, if there are any; `nil`: no.
        public var reuse: Bool?
        /// True where shards may be computed by different engines; `nil`: by one.
        public var mixed: Bool?

        public init(
            maxLength: Int?, batchTokens: Int, maxSequences: Int, generationSlots: Int, logits: LogitsMode,
            shardSize: Int, overflow: OverflowPolicy? = nil, chat: Chat? = nil, systemInstruction: String? = nil,
            cacheMegabytes: Int? = nil, tokens: TokenRules? = nil, invariance: Invariance? = nil, reuse: Bool? = nil
        ) {
            self.invariance = invariance
            self.reuse = reuse
            self.tokens = tokens
            self.cacheMegabytes = cacheMegabytes
            self.chat = chat
            self.systemInstruction = systemInstruction
            self.maxLength = maxLength
            self.overflow = overflow
            self.batchTokens = batchTokens
            self.maxSequences = maxSequences
            self.generationSlots = generationSlots
            self.logits = logits
            self.shardSize = shardSize
        }
    }

    /// The model's chat template, as it was when the job was submitted.
    public struct Chat: Codable, Sendable, Hashable {
        /// In Jinja.
        public var template: String
        /// What the template may print as bos_token and eos_token.
        public var bos: String
        public var eos: String
        /// Each few-shot example is a turn of its own.
        public var isMultiTurn: Bool
        /// Further variables that the template sees, as a JSON object; `nil` for none.
        public var arguments: String?

        public init(
            template: String, bos: String, eos: String, isMultiTurn: Bool = true, arguments: String? = nil
        ) {
            self.arguments = arguments
            self.template = template
            self.bos = bos
            self.eos = eos
            self.isMultiTurn = isMultiTurn
        }
    }
}

extension JobSpecification {
    /// A group that the job's task belongs to; reports put its members' scores together.
    public struct Group: Codable, Sendable, Hashable {
        public var name: String
        public var alias: String?
        public var metrics: [Metric]

        /// How a metric of the members becomes the group's.
        public struct Metric: Codable, Sendable, Hashable {
            public var name: String
            /// Of the members, each a score of its own; `nil` for all that they have.
            public var filters: [String]?
            /// Each member counts by its samples, instead of all alike.
            public var weightBySize: Bool

            public init(name: String, filters: [String]?, weightBySize: Bool) {
                self.name = name
                self.filters = filters
                self.weightBySize = weightBySize
            }
        }

        public init(name: String, alias: String? = nil, metrics: [Metric]) {
            self.name = name
            self.alias = alias
            self.metrics = metrics
        }
    }
}

/// What a job's engine settings are when nobody sets them.
///
/// They are written into every job, since they decide how sums round; changing one here changes no job submitted before.
public enum EngineDefaults {
    public static let batchTokens = 512
    public static let maxSequences = 128
    public static let generationSlots = 16
    /// How many tokens stand together in strict results, which take models' lengths in whole blocks of these.
    ///
    /// The widest sums that ggml's kernels for CPUs make over keys and values have 16 parts, and those for weights take up to
    /// 16 rows at a time; `assay doctor --engine` checks that it is so on a machine.
    public static let strictBlock = 16
}

/// What an engine's numbers depend on besides the model, the requests and the engine itself.
public enum Invariance: String, Sendable, Hashable, CaseIterable, Codable {
    /// Which requests are computed together, as the settings and the shard decide it.
    case plan
    /// Nothing else: neither sizes of shards and batches, nor order, threads, or what is computed besides.
    case strict
}

/// The version of Assay: all programs come from one build, and reports say it.
public enum AssayVersion {
    /// To be raised also when the same results would give other reports.
    public static let text = "0.2.0"
}
