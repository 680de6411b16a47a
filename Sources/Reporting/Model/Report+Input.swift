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
        let metric = job.metrics[index]
        let range = metric.range(among: job.metrics)
        let clusters = job.clusters
        guard
            let column = MetricColumn(
                metric.aggregation, values: job.samples.map { $0.values[index] },
                weights: job.samples.map { $0.weights[index] }, terms: job.samples.flatMap { $0.terms[index] }),
            let parts = column.parts
        else {
            return .statistic(
                score: .nan, influences: job.samples.map { _ in 0 }, clusters: clusters, in: range)
        }
        // lm-eval draws samples, not clusters.
        let drawn = clusters == nil ? column.bootstrapStandardError : nil
        switch parts {
        case .quotient(let values, let weights):
            return Self.quotient(
                zip(values, weights).map { WeightedValue(value: $0, weight: $1) }, metric.aggregation, clusters, range,
                drawn: drawn)
        case .influences(let influences, let smallestClass, let sizes):
            return .statistic(
                score: column.score, influences: influences, clusters: clusters, in: range, bootstrapError: drawn,
                units: smallestClass, sizes: sizes)
        case .median:
            return .median(of: column.values, clusters: clusters, in: range, bootstrapError: drawn)
        case .bins(let bins):
            return .calibration(
                column.terms, isRight: column.values, bins: bins, clusters: clusters)
        }
    }

    private static func quotient(
        _ samples: [WeightedValue], _ aggregation: Aggregation, _ clusters: [String]?, _ range: ClosedRange<Double>?,
        drawn: Double?
    ) -> Estimate {
        let scale: QuotientScale =
            switch aggregation {
            case .perplexity, .weightedPerplexity: .perplexity
            case .bitsPerByte: .times(-Estimate.bitsPerNat)
            default: .times(1)
            }
        if let clusters, aggregation != .f1 {
            return .clustered(samples, clusters: clusters, scale: scale, in: range)
        }
        switch aggregation {
        case .perplexity:
            let values = samples.map(\.value)
            return .perplexity(
                ofLogLikelihoods: values,
                bootstrapError: drawn ?? Estimate.bootstrapErrorOfPerplexity(ofLogLikelihoods: values))
        case .weightedPerplexity: return .weightedPerplexity(ofLogLikelihoods: samples)
        case .bitsPerByte: return .bitsPerByte(ofLogLikelihoods: samples)
        case .weightedMean: return .ratio(of: samples, in: range)
        case .f1:
            var estimate = Estimate.f1(of: samples, clusters: clusters)
            if estimate.gap == .noWeight, clusters == nil, let range {
                // Neither an answer nor a right one is of class 1: F1 counts as 0, and may be anything.
                estimate.value = 0
                estimate.standardError = drawn
                estimate.interval = .init(lower: range.lowerBound, upper: range.upperBound)
                estimate.gap = drawn == nil ? .oneSample : nil
            } else if let drawn, estimate.standardError != nil {
                estimate.standardError = drawn
            }
            return estimate
        default: return .mean(of: samples.map(\.value), in: range)
        }
    }
}

extension JobInput {
    /// One per sample; nil where the task names no cluster key.
    fileprivate var clusters: [String]? {
        let clusters = self.samples.compactMap(\.cluster)
        return !clusters.isEmpty && clusters.count == self.samples.count ? clusters : nil
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
