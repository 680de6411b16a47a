import Reporting

/// One sample's scores and health.
struct SampleRow {
    var sampleID: String
    /// What it has in common with other samples; nil where the task names no cluster key.
    var cluster: String?
    var target: String
    /// The predicted choice's number for multiple choice, the filtered text for generation, else empty.
    var prediction: String
    /// One per metric of the job, in its order.
    var values: [Double]
    /// One per metric of the job; 1 where the metric is a mean over samples.
    var weights: [Double]
    /// One list per metric of the job, as `Aggregation.terms` names its members; empty for most metrics.
    var terms: [[Double]]
    /// Why the generation ended ("stop", "eos", "length"); nil where no text was generated.
    var finishReason: String?
    var promptTokens: Int
    var generatedTokens: Int
    /// A prompt was cut on the left.
    var isTruncated: Bool
    /// A filter found no answer in the generated text.
    var isUnparsed: Bool

    init(
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

extension SampleColumns {
    /// - Parameter metrics: How many there are, where there is no row to tell.
    init(_ rows: [SampleRow], metrics: Int = 0) {
        self.init(terms: rows.first?.terms.map(\.count) ?? [Int](repeating: 0, count: metrics))
        for row in rows {
            self.sampleIDs.append(row.sampleID)
            self.clusters.append(row.cluster)
            self.targets.append(row.target)
            self.predictions.append(row.prediction)
            for index in row.values.indices where index < self.metrics.count {
                self.metrics[index].values.append(row.values[index])
                self.metrics[index].weights.append(row.weights[index])
                for (term, value) in row.terms[index].enumerated() { self.metrics[index].terms[term].append(value) }
            }
            self.finishReasons.append(row.finishReason)
            self.promptTokens.append(row.promptTokens)
            self.generatedTokens.append(row.generatedTokens)
            self.isTruncated.append(row.isTruncated)
            self.isUnparsed.append(row.isUnparsed)
        }
    }

    /// The first samples.
    func prefix(_ count: Int) -> SampleColumns {
        var samples = self
        samples.sampleIDs = Array(self.sampleIDs.prefix(count))
        samples.clusters = Array(self.clusters.prefix(count))
        samples.targets = Array(self.targets.prefix(count))
        samples.predictions = Array(self.predictions.prefix(count))
        samples.metrics = self.metrics.map { metric in
            Metric(
                values: Array(metric.values.prefix(count)), weights: Array(metric.weights.prefix(count)),
                terms: metric.terms.map { Array($0.prefix(count)) })
        }
        samples.finishReasons = Array(self.finishReasons.prefix(count))
        samples.promptTokens = Array(self.promptTokens.prefix(count))
        samples.generatedTokens = Array(self.generatedTokens.prefix(count))
        samples.isTruncated = Array(self.isTruncated.prefix(count))
        samples.isUnparsed = Array(self.isUnparsed.prefix(count))
        return samples
    }
}
