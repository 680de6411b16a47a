public import Evaluation
internal import JSON
internal import ScoreMetrics
public import Statistics

/// A run's scores with their uncertainty, health and provenance: a pure function of a `ReportInput`.
public struct Report: Sendable, Hashable {
    /// The version of what report.json and manifest.json contain.
    public static let schemaVersion = 1

    public var name: ReportName
    /// The version of the program that builds.
    public var toolVersion: String
    public var runID: String
    public var runName: String
    public var project: String
    /// In the order in which the run's jobs name them.
    public var tasks: [TaskReport]
    /// In the order in which the run's jobs name them.
    public var groups: [GroupReport] = []

    /// The command that builds this report again; run id and name need no quoting by a shell.
    public var rebuildCommand: String {
        "assay-report build \(self.runID)" + (self.name.value == self.runID ? "" : " --name \(self.name)")
    }
}

/// The results of all models on one task: the same task, data set and hash.
public struct TaskReport: Sendable, Hashable {
    public var task: TaskInput
    public var datasetSHA256: String
    public var jobs: [JobReport]

    /// The name to show.
    public var title: String { self.task.alias ?? self.task.name }
}

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
        let samples = job.samples
        for (name, count) in [
            ("clusters", samples.clusters.count), ("targets", samples.targets.count),
            ("predictions", samples.predictions.count), ("finish reasons", samples.finishReasons.count),
            ("prompt tokens", samples.promptTokens.count), ("generated tokens", samples.generatedTokens.count),
            ("truncations", samples.isTruncated.count), ("parsings", samples.isUnparsed.count),
        ] where count != samples.count {
            throw ReportError(
                .notReportable,
                "job \(job.name) has \(count) \(name) for \(samples.count) samples; verify the job's results")
        }
        guard samples.metrics.count == job.metrics.count else {
            throw ReportError(
                .notReportable,
                "job \(job.name) has columns of \(samples.metrics.count) metrics, not of its \(job.metrics.count); verify the "
                    + "job's results")
        }
        for (metric, column) in zip(job.metrics, samples.metrics) {
            guard column.values.count == samples.count, column.weights.count == samples.count,
                column.terms.count == metric.aggregation.terms.count,
                column.terms.allSatisfy({ $0.count == samples.count })
            else {
                throw ReportError(
                    .notReportable,
                    "job \(job.name), metric \(Printable.text(metric.name, limit: 80)): \(column.values.count) values and "
                        + "\(column.weights.count) weights for \(samples.count) samples, or other terms than the metric has; "
                        + "verify the job's results")
            }
        }
    }
}

extension JobReport {
    init(_ job: JobInput, samplesFile: String) throws(ReportError) {
        let settings = try JSONValue.parsed(job.settings, source: "the settings of job \(Printable.text(job.name))")
        var description = job
        description.samples = SampleColumns(terms: [])
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
                metric.aggregation, values: job.samples.metrics[index].values,
                weights: job.samples.metrics[index].weights, terms: job.samples.termsBySample(ofMetric: index)),
            let parts = column.parts
        else {
            return .statistic(
                score: .nan, influences: [Double](repeating: 0, count: job.samples.count), clusters: clusters, in: range
            )
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
        let clusters = self.samples.clusters.compactMap(\.self)
        return !clusters.isEmpty && clusters.count == self.samples.count ? clusters : nil
    }
}

extension Health {
    init(_ samples: SampleColumns) {
        let isGenerated = samples.finishReasons.contains { $0 != nil }
        self.init(
            samples: samples.count, truncated: samples.isTruncated.count(where: \.self),
            unparsed: isGenerated ? samples.isUnparsed.count(where: \.self) : nil,
            hitMaxTokens: isGenerated ? samples.finishReasons.count { $0 == "length" } : nil,
            promptTokens: samples.promptTokens.reduce(0, &+),
            generatedTokens: samples.generatedTokens.reduce(0, &+))
    }
}

/// The scores of tasks that belong together.
public struct GroupReport: Sendable, Hashable {
    public var name: String
    public var alias: String?
    public var scores: [Score]

    /// The name to show.
    public var title: String { self.alias ?? self.name }

    /// One model's score over the group's tasks.
    public struct Score: Sendable, Hashable {
        public var model: String
        /// As the tasks have it.
        public var metric: MetricDefinition
        /// How many tasks have the metric.
        public var tasks: Int
        public var estimate: Estimate
    }
}

extension GroupReport {
    /// All groups of a run's jobs that put scores together, in the order in which they come up.
    static func all(of jobs: [JobReport]) -> [GroupReport] {
        var groups: [JobSpecification.Group] = []
        for job in jobs {
            for group in job.job.groups where !groups.contains(group) { groups.append(group) }
        }
        return groups.compactMap { group in
            let members = jobs.filter { $0.job.groups.contains(group) }
            var models: [ModelInput] = []
            for job in members where !models.contains(job.job.model) { models.append(job.job.model) }
            let scores = group.metrics.flatMap { metric in
                Self.filters(metric, of: members).flatMap { filter in
                    models.compactMap { model in
                        Self.score(metric, filter, members.filter { $0.job.model == model }, model)
                    }
                }
            }
            return group.metrics.isEmpty ? nil : GroupReport(name: group.name, alias: group.alias, scores: scores)
        }
    }

    /// Those that the metric names, else all that members have, in their order.
    private static func filters(_ metric: JobSpecification.Group.Metric, of jobs: [JobReport]) -> [String] {
        if let filters = metric.filters { return filters }
        var filters: [String] = []
        for score in jobs.flatMap(\.scores) where score.metric.metric.name == metric.name {
            if !filters.contains(score.metric.filter) { filters.append(score.metric.filter) }
        }
        return filters
    }

    private static func score(
        _ metric: JobSpecification.Group.Metric, _ filter: String, _ jobs: [JobReport], _ model: ModelInput
    ) -> Score? {
        // A task that a run has twice would count twice.
        guard Set(jobs.map(\.job.task.name)).count == jobs.count else { return nil }
        let parts = jobs.compactMap { job in
            job.scores.first { $0.metric.metric.name == metric.name && $0.metric.filter == filter }
        }
        guard let first = parts.first else { return nil }
        let estimates = parts.map(\.estimate)
        return Score(
            model: model.name, metric: first.metric, tasks: parts.count,
            estimate: metric.weightBySize ? .pooled(estimates) : .averaged(estimates))
    }
}

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

/// The names of the samples' files: `<task>.csv`, with the job's name before ".csv" where a run has the task twice.
enum SampleFileNames {
    /// One name per job; no two are equal, in upper or lower case.
    static func assign(_ jobs: [JobInput]) -> [String] {
        let tasks = jobs.map { Self.plain($0.task.name) }
        var count: [String: Int] = [:]
        for task in tasks { count[task.lowercased(), default: 0] += 1 }
        var taken: Set<String> = []
        return zip(jobs, tasks).map { job, task in
            let isAlone = count[task.lowercased()] == 1
            let stem = isAlone ? task : "\(task).\(Self.plain(job.name))"
            var name = "\(stem).csv"
            var number = 2
            while !taken.insert(name.lowercased()).inserted {
                name = "\(stem).\(number).csv"
                number += 1
            }
            return name
        }
    }

    /// `text` with everything but letters, digits, ".", "_" and "-" turned into "_"; 1 to 80 characters, none of them a
    /// dot in front.
    private static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(80) {
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            let isMark = scalar == "_" || scalar == "-" || (scalar == "." && !result.isEmpty)
            result.unicodeScalars.append(isPlain || isMark ? scalar : "_")
        }
        return result.isEmpty ? "_" : result
    }
}

/// Why a report was not built, read or verified.
public struct ReportError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The report's name is not one.
        case invalidName
        /// The run cannot be reported on: a job is not done, or its results do not fit together.
        case notReportable
        /// There is no such report or version.
        case notFound
        /// A file of a version is missing, changed or foreign.
        case damaged
        /// The file system refused.
        case fileSystem
        /// The text is not what it should be.
        case malformed
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
