public import Evaluation
public import Statistics

/// One model's results on one task.
public struct JobReport: Sendable, Hashable {
    /// What the job was, without its samples.
    public var job: JobInput
    var settings: JSONValue
    /// The samples' file in the version's folder.
    public var samplesFile: String
    public var scores: [Score]
    public var health: Health
}

/// One metric's score.
public struct Score: Sendable, Hashable {
    public var metric: MetricDefinition
    public var estimate: Estimate

    public init(metric: MetricDefinition, estimate: Estimate) {
        self.metric = metric
        self.estimate = estimate
    }
}

/// Counts of what makes a score doubtful.
public struct Health: Sendable, Hashable {
    public var samples: Int
    /// Samples with a prompt cut on the left.
    public var truncated: Int
    /// Samples whose generated text holds no answer that a filter found; nil where nothing was generated.
    public var unparsed: Int?
    /// Samples whose generation ended at the limit of new tokens; nil where nothing was generated.
    public var hitMaxTokens: Int?
    public var promptTokens: Int
    public var generatedTokens: Int

    /// The part of all samples that `count` is, from 0 to 1; 0 for no samples.
    public func share(_ count: Int) -> Double {
        self.samples == 0 ? 0 : Double(count) / Double(self.samples)
    }
}
