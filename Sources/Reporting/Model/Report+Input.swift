internal import Evaluation
internal import Statistics

extension Report {
    /// Computes the report on `input`.
    ///
    /// Throws `notReportable` if the input does not fit together: a strange run id, no job, a job without metrics, or a sample with another
    /// number of values than the job has metrics.
    public init(_ input: ReportInput, name: ReportName, toolVersion: String) throws(ReportError) {
        guard !input.jobs.isEmpty else {
            throw ReportError(.notReportable, "run \(input.runID) has no jobs; there is nothing to report on")
        }
        guard ReportName.isValid(input.runID) else {
            throw ReportError(
                .notReportable, "\"\(Printable.text(input.runID, limit: 120))\" is not a run's id; assay list shows all"
            )
        }
        for job in input.jobs { try Self.check(job) }
        let files = SampleFileNames.assign(input.jobs)

        var tasks: [TaskReport] = []
        var reports: [JobReport] = []
        for (job, file) in zip(input.jobs, files) {
            let report = try JobReport(job, samplesFile: file)
            reports.append(report)
            let same = tasks.firstIndex { $0.task == job.task && $0.datasetSHA256 == job.datasetSHA256 }
            if let same {
                tasks[same].jobs.append(report)
            } else {
                tasks.append(.init(task: job.task, datasetSHA256: job.datasetSHA256, jobs: [report]))
            }
        }
        self.init(
            name: name, toolVersion: toolVersion, runID: input.runID, runName: input.runName, project: input.project,
            tasks: tasks, groups: GroupReport.all(of: reports))
    }

    private static func check(_ job: JobInput) throws(ReportError) {
        guard !job.metrics.isEmpty else {
            throw ReportError(.notReportable, "job \(job.name) names no metrics, so there is no score to report")
        }
        for sample in job.samples {
            guard sample.values.count == job.metrics.count, sample.weights.count == job.metrics.count,
                zip(sample.terms, job.metrics).allSatisfy({ $0.count == $1.aggregation.terms.count }),
                sample.terms.count == job.metrics.count
            else {
                throw ReportError(
                    .notReportable,
                    "job \(job.name), sample \(Printable.text(sample.sampleID, limit: 80)): \(sample.values.count) values "
                        + "and \(sample.weights.count) weights for \(job.metrics.count) metrics, or other terms than these have; verify "
                        + "the job's results"
                )
            }
        }
    }
}

extension JobReport {
    init(_ job: JobInput, samplesFile: String) throws(ReportError) {
        let settings = try JSONValue(parsing: job.settings, source: "the settings of job \(Printable.text(job.name))")
        var description = job
        description.samples = []
        let scores = job.metrics.indices.map { index in
            Score(metric: job.metrics[index], estimate: Self.estimate(job, metric: index))
        }
        self.init(
            job: description, settings: settings, samplesFile: samplesFile, scores: scores, health: Health(job.samples))
    }

    private static func estimate(_ job: JobInput, metric index: Int) -> Estimate {
        let aggregation = job.metrics[index].aggregation
        if let scale = aggregation.clusteredScale, let clusters = job.clusters {
            return .clustered(
                job.samples.map { .init(value: $0.values[index], weight: $0.weights[index]) }, clusters: clusters,
                scale: scale)
        }
        switch aggregation {
        case .mean, .brierScore:
            return .mean(of: job.samples.map { $0.values[index] })
        case .perplexity:
            return .perplexity(ofLogLikelihoods: job.samples.map { $0.values[index] })
                .withBootstrap(standardError: Self.bootstrapStandardError(Self.column(job, metric: index)))
        case .weightedPerplexity:
            return .weightedPerplexity(
                ofLogLikelihoods: job.samples.map { .init(value: $0.values[index], weight: $0.weights[index]) })
        case .bitsPerByte:
            return .bitsPerByte(
                ofLogLikelihoods: job.samples.map { .init(value: $0.values[index], weight: $0.weights[index]) })
        case .weightedMean:
            return .ratio(of: job.samples.map { .init(value: $0.values[index], weight: $0.weights[index]) })
        case .median, .f1, .matthewsCorrelation, .calibrationError, .bleu, .chrF, .chrFPlusPlus, .translationEditRate,
            .bestThreshold:
            let column = Self.column(job, metric: index)
            return .bootstrapped(
                score: column?.score ?? .nan, standardError: Self.bootstrapStandardError(column),
                count: job.samples.count)
        }
    }

    private static func column(_ job: JobInput, metric index: Int) -> MetricColumn? {
        MetricColumn(
            job.metrics[index].aggregation, values: job.samples.map { $0.values[index] },
            weights: job.samples.map { $0.weights[index] }, terms: job.samples.flatMap { $0.terms[index] })
    }

    private static func bootstrapStandardError(_ column: MetricColumn?) -> Double? {
        guard let column, let iterations = column.aggregation.bootstrapIterations else { return nil }
        return column.bootstrapStandardError(iterations: iterations)
    }
}

extension JobInput {
    /// One per sample; nil where the task names no cluster key.
    fileprivate var clusters: [String]? {
        let clusters = self.samples.compactMap(\.cluster)
        return !clusters.isEmpty && clusters.count == self.samples.count ? clusters : nil
    }
}

extension Aggregation {
    /// How a quotient of the sums of values and weights becomes the score; nil for a score that is none.
    fileprivate var clusteredScale: Estimate.ClusteredScale? {
        switch self {
        case .mean, .brierScore, .weightedMean: .times(1)
        case .bitsPerByte: .times(-Estimate.bitsPerNat)
        case .perplexity, .weightedPerplexity: .perplexity
        default: nil
        }
    }
}

extension Health {
    init(_ samples: [SampleRow]) {
        let isGenerated = samples.contains { $0.finishReason != nil }
        self.init(
            samples: samples.count, truncated: samples.count(where: \.isTruncated),
            unparsed: isGenerated ? samples.count(where: \.isUnparsed) : nil,
            hitMaxTokens: isGenerated ? samples.count { $0.finishReason == "length" } : nil,
            promptTokens: samples.reduce(0) { $0 &+ $1.promptTokens },
            generatedTokens: samples.reduce(0) { $0 &+ $1.generatedTokens })
    }
}
