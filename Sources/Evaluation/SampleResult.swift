/// Everything that is known of one sample after scoring; what a result file stores.
public struct SampleResult: Sendable, Hashable {
    /// Unique within the job: the data set's id column, or the row number.
    public var sampleID: String
    /// The row in the data set, from 0.
    public var row: Int
    public var target: String
    /// Samples with the same one are not independent; `nil` where the task names no cluster key.
    public var cluster: String?
    /// The predicted choice's number for multiple choice, the filtered text for generation, else empty.
    public var prediction: String
    /// This sample's values, in the task's order; the same names for every sample of a task.
    public var metrics: [MetricValue]
    /// Empty unless text was generated.
    public var finishReason: FinishReason?
    /// Tokens in all prompts of the sample, after truncation.
    public var promptTokens: Int
    public var generatedTokens: Int
    /// A prompt was cut on the left.
    public var isTruncated: Bool
    /// A filter found no answer in the generated text.
    public var isUnparsed: Bool
    /// The prompt as rendered (for multiple choice: the shared context).
    public var prompt: String
    /// The raw generated text; empty for scoring tasks.
    public var generation: String
    /// Every text where several were generated; empty otherwise.
    public var generations: [GenerationResult]
    public var choices: [ChoiceResult]
    /// The tokens of every request of the sample, request after request; empty unless asked for.
    public var tokens: [TokenResult]

    public init(
        sampleID: String, row: Int, target: String, cluster: String? = nil, prediction: String,
        metrics: [MetricValue], finishReason: FinishReason? = nil, promptTokens: Int = 0, generatedTokens: Int = 0,
        isTruncated: Bool = false, isUnparsed: Bool = false, prompt: String = "", generation: String = "",
        generations: [GenerationResult] = [], choices: [ChoiceResult] = [], tokens: [TokenResult] = []
    ) {
        self.sampleID = sampleID
        self.row = row
        self.target = target
        self.cluster = cluster
        self.prediction = prediction
        self.metrics = metrics
        self.finishReason = finishReason
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.isTruncated = isTruncated
        self.isUnparsed = isUnparsed
        self.prompt = prompt
        self.generation = generation
        self.generations = generations
        self.choices = choices
        self.tokens = tokens
    }
}

/// One metric's value for one sample.
///
/// A metric that is a quotient over the whole task (perplexity, bits per byte) stores numerator and weight.
public struct MetricValue: Sendable, Hashable {
    /// The column's name: the metric, with ",filter" behind it where the task names filters.
    public var name: String
    public var value: Double
    /// 1 for means over samples; words or bytes for quotients over the whole task.
    public var weight: Double
    /// What the task's score is made from, where values alone do not suffice.
    public var terms: [Double]
    /// One per term, the same for every sample of a task.
    public var termNames: [String]
    /// The value of each epoch, of which `value` is the mean; empty where there is but one.
    public var epochs: [Double]

    public init(
        name: String, value: Double, weight: Double = 1, terms: [Double] = [], termNames: [String] = [],
        epochs: [Double] = []
    ) {
        self.name = name
        self.value = value
        self.weight = weight
        self.terms = terms
        self.termNames = termNames
        self.epochs = epochs
    }
}

/// One answer option of a multiple-choice sample, or the one continuation of a log-likelihood sample.
public struct ChoiceResult: Sendable, Hashable {
    public var text: String
    /// Sum over the continuation's tokens, in nat.
    public var logProb: Double
    public var tokenCount: Int
    /// UTF-8 bytes of the choice without the delimiter.
    public var byteCount: Int
    /// Unicode code points of the choice without the delimiter.
    public var characterCount: Int
    public var isGreedy: Bool

    public init(
        text: String, logProb: Double, tokenCount: Int, byteCount: Int, characterCount: Int, isGreedy: Bool
    ) {
        self.text = text
        self.logProb = logProb
        self.tokenCount = tokenCount
        self.byteCount = byteCount
        self.characterCount = characterCount
        self.isGreedy = isGreedy
    }
}

/// One of several texts that were generated for a sample.
public struct GenerationResult: Sendable, Hashable {
    public var text: String
    public var finishReason: FinishReason
    public var tokenCount: Int

    public init(text: String, finishReason: FinishReason, tokenCount: Int) {
        self.text = text
        self.finishReason = finishReason
        self.tokenCount = tokenCount
    }

    public init(_ generation: Generation) {
        self.init(
            text: generation.text, finishReason: generation.finishReason, tokenCount: generation.tokens.count)
    }
}

/// One token of a request.
public struct TokenResult: Sendable, Hashable {
    public var tokenID: Int32
    /// In nat; NaN where the engine was not asked (prompt tokens).
    public var logProb: Float
    public var isPrompt: Bool
    /// The request's number within the sample, from 0: the choice, or the window.
    public var request: Int32

    public init(tokenID: Int32, logProb: Float, isPrompt: Bool, request: Int32) {
        self.tokenID = tokenID
        self.logProb = logProb
        self.isPrompt = isPrompt
        self.request = request
    }
}

/// How much of the model's output a result file keeps besides scores and text; each mode includes those before it.
public enum LogitsMode: String, Sendable, Hashable, CaseIterable, Codable {
    case none
    /// The log-probability sum of every choice or continuation.
    case choices
    /// Token ids and the log-probability of every scored or generated token.
    case tokens
}
