/// One metric of a task: where its values stand and how they become one score.
public struct MetricInput: Sendable, Hashable {
    /// The column in the result files: the metric, with ",filter" behind it where the task names filters.
    public var column: String
    public var metric: String
    public var filter: String?
    public var aggregation: Aggregation
    public var higherIsBetter: Bool

    public init(
        column: String, metric: String, filter: String? = nil, aggregation: Aggregation, higherIsBetter: Bool
    ) {
        self.column = column
        self.metric = metric
        self.filter = filter
        self.aggregation = aggregation
        self.higherIsBetter = higherIsBetter
    }
}

/// How per-sample values become one score; the raw values are lm-eval-harness's names.
public enum Aggregation: String, Sendable, Hashable, CaseIterable {
    case mean
    /// exp(-mean of the log-likelihoods).
    case perplexity
    /// exp(-sum of the log-likelihoods / sum of the weights).
    case weightedPerplexity = "weighted_perplexity"
    /// -sum of the log-likelihoods / (sum of the weights * ln 2).
    case bitsPerByte = "bits_per_byte"
}

/// One sample's scores and health.
public struct SampleRow: Sendable, Hashable {
    public var sampleID: String
    /// One per metric of the job, in its order.
    public var values: [Double]
    /// One per metric of the job; 1 where the metric is a mean over samples.
    public var weights: [Double]
    /// Why the generation ended ("stop", "eos", "length"); nil where no text was generated.
    public var finishReason: String?
    public var promptTokens: Int
    public var generatedTokens: Int
    /// A prompt was cut on the left.
    public var isTruncated: Bool
    /// A filter found no answer in the generated text.
    public var isUnparsed: Bool

    public init(
        sampleID: String, values: [Double], weights: [Double], finishReason: String? = nil, promptTokens: Int = 0,
        generatedTokens: Int = 0, isTruncated: Bool = false, isUnparsed: Bool = false
    ) {
        self.sampleID = sampleID
        self.values = values
        self.weights = weights
        self.finishReason = finishReason
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.isTruncated = isTruncated
        self.isUnparsed = isUnparsed
    }
}
