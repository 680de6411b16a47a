internal import Crypto
public import Evaluation
internal import Files
internal import FoundationEssentials

extension JobSpecification {
    /// The SHA-256 of all that a sample depends on besides its row and the engine; 64 hexadecimal digits, `nil` where it depends
    /// on more than that, because numbers are not strict.
    ///
    /// - Parameter rules: By which the task is read.
    public func workHash(rules: String) throws -> String? {
        guard self.settings.invariance == .strict else { return nil }
        struct Work: Encodable {
            var rules: String
            var specification: JobSpecification
        }
        var work = Work(rules: rules, specification: self)
        work.specification.model.name = ""
        work.specification.model.path = ""
        work.specification.model.tokenizerDoubt = nil
        // These follow from the configuration.
        work.specification.task.metrics = nil
        work.specification.task.alias = nil
        work.specification.task.version = nil
        work.specification.groups = nil
        work.specification.rescoredFrom = nil
        // Examples that are drawn for a row depend on the rows before it alone.
        work.specification.dataSet.rows = 0
        work.specification.settings.overflow = self.settings.overflow ?? .truncate
        work.specification.settings.tokens = self.settings.tokens ?? TokenRules()
        work.specification.settings.batchTokens = 0
        work.specification.settings.maxSequences = 0
        work.specification.settings.generationSlots = 0
        work.specification.settings.shardSize = 0
        work.specification.settings.cacheMegabytes = nil
        work.specification.settings.reuse = nil
        work.specification.settings.mixed = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return SHA256.text(of: try encoder.encode(work))
    }
}

extension JobSpecification.Settings {
    /// The SHA-256 of what decides prompts and their tokens besides task, data and model; 64 hexadecimal digits.
    public func promptsHash() throws -> String {
        struct Prompts: Encodable {
            var overflow: OverflowPolicy
            var chat: JobSpecification.Chat?
            var systemInstruction: String?
            var tokens: TokenRules
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let prompts = Prompts(
            overflow: self.overflow ?? .truncate, chat: self.chat, systemInstruction: self.systemInstruction,
            tokens: self.tokens ?? TokenRules())
        return SHA256.text(of: try encoder.encode(prompts))
    }

    /// How prompts are written.
    ///
    /// - Throws: `TaskError` if the chat template can't be parsed.
    public func promptStyle() throws(TaskError) -> PromptStyle {
        guard let chat = self.chat else { return PromptStyle(systemInstruction: self.systemInstruction) }
        return PromptStyle(
            template: try JinjaChatTemplate(
                chat.template, bos: chat.bos, eos: chat.eos, arguments: chat.arguments),
            isMultiTurn: chat.isMultiTurn, systemInstruction: self.systemInstruction)
    }
}

extension JobSpecification.Task {
    /// A task as jobs have it.
    public init(_ task: EvaluationTask) {
        let configuration = task.configuration
        self.init(
            name: configuration.name, hash: task.taskHash, configuration: task.canonicalJSON,
            metrics: configuration.columns, alias: configuration.alias,
            version: configuration.version.isEmpty ? nil : configuration.version)
    }

    /// The task of a job of any release with what reports need of it: jobs of releases before 0.3 have it in their
    /// configuration alone.
    public func completed() throws(TaskError) -> JobSpecification.Task {
        guard self.metrics == nil else { return self }
        let configuration = try TaskConfiguration(canonicalJSON: self.configuration)
        var task = self
        task.metrics = configuration.columns
        task.alias = configuration.alias
        task.version = configuration.version.isEmpty ? nil : configuration.version
        return task
    }
}
