/// One sample's scores and health.
public struct SampleRow: Sendable, Hashable {
    public var sampleID: String
    /// What it has in common with other samples; nil where the task names no cluster key.
    public var cluster: String?
    public var target: String
    /// The predicted choice's number for multiple choice, the filtered text for generation, else empty.
    public var prediction: String
    /// One per metric of the job, in its order.
    public var values: [Double]
    /// One per metric of the job; 1 where the metric is a mean over samples.
    public var weights: [Double]
    /// One list per metric of the job, as `Aggregation.terms` names its members; empty for most metrics.
    public var terms: [[Double]]
    /// Why the generation ended ("stop", "eos", "length"); nil where no text was generated.
    public var finishReason: String?
    public var promptTokens: Int
    public var generatedTokens: Int
    /// A prompt was cut on the left.
    public var isTruncated: Bool
    /// A filter found no answer in the generated text.
    public var isUnparsed: Bool

    public init(
        sampleID: String, cluster: String? = nil, target: String = "", prediction: String = "", values: [Double],
        weights: [Double],
        terms: [[Double]]? = nil, finishReason: String? = nil, promptTokens: Int = 0,
        generatedTokens: Int = 0, isTruncated: Bool = false, isUnparsed: Bool = false
    ) {
        self.sampleID = sampleID
        self.cluster = cluster
        self.target = target
        self.prediction = prediction
        self.values = values
        self.weights = weights
        self.terms = terms ?? values.map { _ in [] }
        self.finishReason = finishReason
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.isTruncated = isTruncated
        self.isUnparsed = isUnparsed
    }
}
