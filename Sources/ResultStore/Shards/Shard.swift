public import Evaluation

/// A shard as read from its file, with everything in it.
public struct Shard: Sendable {
    public var header: ShardHeader
    /// In the data set's order; choices and tokens are empty where the logits mode does not keep them.
    public var samples: [SampleResult]
    /// The logical digest computed from what was read.
    public var digest: String
}

/// The columns of a shard's /samples, for reports: no texts, choices or tokens.
public struct SampleTable: Sendable {
    /// One metric's values, one per sample.
    public struct Metric: Sendable, Hashable {
        public var name: String
        public var values: [Double]
        /// One per sample; all 1 for means over samples.
        public var weights: [Double]
        /// What the metric's terms are called; none for most metrics.
        public var termNames: [String]
        /// Term after term, one value per sample.
        public var terms: [[Double]]
    }

    public var header: ShardHeader
    public var sampleIDs: [String]
    public var rows: [Int]
    public var targets: [String]
    /// What samples have in common; `nil` where the task names no cluster key.
    public var clusters: [String]?
    public var predictions: [String]
    /// In the task's order.
    public var metrics: [Metric]
    public var finishReasons: [FinishReason?]
    public var promptTokens: [Int]
    public var generatedTokens: [Int]
    public var isTruncated: [Bool]
    public var isUnparsed: [Bool]
}
