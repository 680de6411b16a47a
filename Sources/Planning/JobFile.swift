public import Evaluation
public import JobQueue

/// A job file as written: which tasks run on which models, and how.
public struct JobFile: Sendable, Hashable {
    /// Where it was read from; paths in it start at its folder.
    public var path: String
    public var name: String
    public var project: String
    public var priority: Priority
    /// Names of registered models; every task runs on each.
    public var models: [String]
    public var settings: JobSettings
    public var requirements = JobRequirements()
    /// Failures after which a shard is given up, and given-up shards after which a job is held.
    public var maxAttempts: Int?
    public var maxFailures: Int?
    /// The results of a job may come from several engines.
    public var isMixed = false
    /// Runs or jobs, as typed, that must end before this run begins.
    public var after: [Prerequisite] = []
    public var tasks: [TaskEntry]
    /// When `assay schedule add` has it run; a submit runs it once all the same.
    public var schedule: ScheduleTiming?

    /// One task of the file, with what it overrides.
    public struct TaskEntry: Sendable, Hashable {
        /// The task file, as written.
        public var path: String
        /// The line of the job file, from 1.
        public var line: Int
        public var limit: RowLimit?
        /// As many few-shot examples instead of what the task file says.
        public var fewShot: Int?
        /// How often each row's texts are generated and scored, instead of what the task file says.
        public var epochs: Int?
        public var settings: JobSettings
        /// Other task files of this job file, written before this one, whose jobs must be done first.
        public var after: [String] = []
    }

    /// Only the first rows.
    public enum RowLimit: Sendable, Hashable {
        case count(Int)
        /// Above 0 and below 1, of all rows; rounded up, as lm-eval does.
        case share(Double)

        /// How many of `count` rows.
        func rows(of count: Int) -> Int {
            switch self {
            case .count(let limit): min(limit, count)
            case .share(let share): Int((Double(count) * share).rounded(.up))
            }
        }
    }

    /// A run or a job of the queue that must end first.
    public struct Prerequisite: Sendable, Hashable {
        /// As typed: a run's or job's name, or its beginning.
        public var name: String
        public var condition: JobDependency.Condition

        public init(_ name: String, _ condition: JobDependency.Condition) {
            self.name = name
            self.condition = condition
        }
    }
}

/// What a worker must have to get the jobs of a file.
public struct JobRequirements: Sendable, Hashable {
    public var labels: [String] = []
    /// Memory of the device in megabytes.
    public var gpuMegabytes = 0
    /// "cpu", "cuda"; nil for any.
    public var device: String?
}

/// Settings of a job, all optional: what is not given comes from the level above.
public struct JobSettings: Sendable, Hashable {
    public var shardSize: Int?
    public var maxLength: Int?
    public var overflow: OverflowPolicy?
    public var batchTokens: Int?
    public var maxSequences: Int?
    public var generationSlots: Int?
    /// MiB that keys and values may take.
    public var cacheMegabytes: Int?
    public var logits: LogitsMode?
    /// Prompts go through the model's chat template.
    public var chatTemplate: Bool?
    /// Each few-shot example is a turn of its own; so unless said otherwise.
    public var fewShotAsMultiTurn: Bool?
    /// Stands before a task's description.
    public var systemInstruction: String?
    /// Programs that the model writes may be run, in a sandbox, for tasks that are scored so.
    public var runsCode: Bool?
    /// How texts become tokens, and tokens texts.
    public var tokens = TokenRules()
    /// Further variables of the chat template, as a JSON object.
    public var chatTemplateArguments: String?
    /// Whether the chat template lets the model think first.
    public var enablesThinking: Bool?
    /// What numbers may depend on besides the work itself.
    public var invariance: Invariance?
    /// Samples are taken over from results of equal work.
    public var reuse: Bool?

    public init(
        shardSize: Int? = nil, maxLength: Int? = nil, batchTokens: Int? = nil, maxSequences: Int? = nil,
        generationSlots: Int? = nil, logits: LogitsMode? = nil, overflow: OverflowPolicy? = nil,
        chatTemplate: Bool? = nil, fewShotAsMultiTurn: Bool? = nil, systemInstruction: String? = nil,
        runsCode: Bool? = nil, cacheMegabytes: Int? = nil, tokens: TokenRules = TokenRules(),
        chatTemplateArguments: String? = nil, enablesThinking: Bool? = nil, invariance: Invariance? = nil,
        reuse: Bool? = nil
    ) {
        self.invariance = invariance
        self.reuse = reuse
        self.tokens = tokens
        self.chatTemplateArguments = chatTemplateArguments
        self.enablesThinking = enablesThinking
        self.cacheMegabytes = cacheMegabytes
        self.runsCode = runsCode
        self.chatTemplate = chatTemplate
        self.fewShotAsMultiTurn = fewShotAsMultiTurn
        self.systemInstruction = systemInstruction
        self.shardSize = shardSize
        self.maxLength = maxLength
        self.overflow = overflow
        self.batchTokens = batchTokens
        self.maxSequences = maxSequences
        self.generationSlots = generationSlots
        self.logits = logits
    }

    /// These settings, with those of `base` where they say nothing.
    public func over(_ base: JobSettings) -> JobSettings {
        JobSettings(
            shardSize: self.shardSize ?? base.shardSize, maxLength: self.maxLength ?? base.maxLength,
            batchTokens: self.batchTokens ?? base.batchTokens, maxSequences: self.maxSequences ?? base.maxSequences,
            generationSlots: self.generationSlots ?? base.generationSlots, logits: self.logits ?? base.logits,
            overflow: self.overflow ?? base.overflow, chatTemplate: self.chatTemplate ?? base.chatTemplate,
            fewShotAsMultiTurn: self.fewShotAsMultiTurn ?? base.fewShotAsMultiTurn,
            systemInstruction: self.systemInstruction ?? base.systemInstruction,
            runsCode: self.runsCode ?? base.runsCode,
            cacheMegabytes: self.cacheMegabytes ?? base.cacheMegabytes, tokens: self.tokens.over(base.tokens),
            chatTemplateArguments: self.chatTemplateArguments ?? base.chatTemplateArguments,
            enablesThinking: self.enablesThinking ?? base.enablesThinking,
            invariance: self.invariance ?? base.invariance, reuse: self.reuse ?? base.reuse)
    }
}
