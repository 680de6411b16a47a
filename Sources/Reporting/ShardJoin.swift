internal import Evaluation
internal import ResultStore

/// Puts a job's shards together and refuses what does not belong to the job.
struct ShardJoin {
    let job: String
    let specification: JobSpecification
    let metrics: [MetricDefinition]
    private(set) var samples: SampleColumns
    private var engineSet: Set<EngineInput> = []
    /// How prompts were written; `nil` where the results do not tell.
    private(set) var promptsHash: String?
    /// Jobs that samples were taken over from, and how many.
    private(set) var reusedFrom: [String: Int] = [:]

    /// Every engine that computed a shard, in a fixed order.
    var engines: [EngineInput] {
        self.engineSet.sorted {
            ($0.name, $0.build, $0.deviceKind, $0.settings ?? "") < (
                $1.name, $1.build, $1.deviceKind, $1.settings ?? ""
            )
        }
    }

    init(job: String, specification: JobSpecification, metrics: [MetricDefinition]) {
        self.job = job
        self.specification = specification
        self.metrics = metrics
        self.samples = SampleColumns(terms: metrics.map(\.aggregation.terms.count))
    }

    /// Takes the next shard, in the order of shards.
    mutating func append(_ table: SampleTable, from path: String) throws(ReportError) {
        try self.check(table.header, path)
        let count = table.header.rowCount
        let columns = [
            table.sampleIDs.count, table.targets.count, table.predictions.count, table.finishReasons.count,
            table.promptTokens.count, table.generatedTokens.count,
            table.isTruncated.count, table.isUnparsed.count, table.clusters?.count ?? count,
        ]
        guard columns.allSatisfy({ $0 == count }) else {
            throw self.refusal(path, "its columns have \(columns) rows, not \(count)")
        }
        let columnOfMetric = try self.columns(of: table, path)
        self.samples.sampleIDs += table.sampleIDs
        self.samples.clusters += table.clusters ?? [String?](repeating: nil, count: count)
        self.samples.targets += table.targets
        self.samples.predictions += table.predictions
        for (index, column) in columnOfMetric.enumerated() {
            self.samples.metrics[index].values += column.values
            self.samples.metrics[index].weights += column.weights
            for (term, values) in column.terms.enumerated() { self.samples.metrics[index].terms[term] += values }
        }
        self.samples.finishReasons += table.finishReasons.map { $0?.rawValue }
        self.samples.promptTokens += table.promptTokens
        self.samples.generatedTokens += table.generatedTokens
        self.samples.isTruncated += table.isTruncated
        self.samples.isUnparsed += table.isUnparsed
        self.engineSet.insert(
            .init(
                name: table.header.engine, build: table.header.engineBuild, deviceKind: table.header.deviceKind,
                settings: table.header.settings?.engine))
        self.reusedFrom.merge(table.header.reusedFrom, uniquingKeysWith: +)
        if let settings = table.header.settings { self.promptsHash = settings.promptsHash }
    }

    /// Checks that every sample of the job is there, once.
    func finish() throws(ReportError) {
        guard self.samples.count == self.specification.dataSet.rows else {
            throw ReportError(
                .notReportable,
                "job \(self.job) has \(self.samples.count) samples in its results, not the "
                    + "\(self.specification.dataSet.rows) of the job; check it with assay results verify \(self.job)")
        }
        var seen: Set<String> = []
        for sampleID in self.samples.sampleIDs {
            guard seen.insert(sampleID).inserted else {
                throw ReportError(
                    .notReportable,
                    "job \(self.job) has the sample id \"\(Printable.text(sampleID, limit: 80))\" twice; "
                        + "give every row of the data set its own id and submit the job again")
            }
        }
    }

    /// The columns of the job's metrics, in its order.
    private func columns(of table: SampleTable, _ path: String) throws(ReportError) -> [SampleTable.Metric] {
        var columns: [SampleTable.Metric] = []
        for metric in self.metrics {
            guard let column = table.metrics.first(where: { $0.name == metric.name }) else {
                throw self.refusal(path, "it has no column \"\(Printable.text(metric.name))\"")
            }
            guard column.values.count == table.header.rowCount, column.weights.count == table.header.rowCount else {
                throw self.refusal(
                    path, "its column \"\(Printable.text(metric.name))\" has not a value for each sample")
            }
            guard column.termNames == metric.aggregation.terms, column.terms.count == column.termNames.count,
                column.terms.allSatisfy({ $0.count == table.header.rowCount })
            else {
                throw self.refusal(
                    path, "its column \"\(Printable.text(metric.name))\" has other terms than the metric")
            }
            columns.append(column)
        }
        return columns
    }

    private func check(_ header: ShardHeader, _ path: String) throws(ReportError) {
        let pairs = [
            ("job", header.jobID, self.job), ("row_start", String(header.rowStart), String(self.samples.count)),
            ("model_sha256", header.modelSHA256, self.specification.model.sha256),
            ("tokenizer_sha256", header.tokenizerSHA256, self.specification.model.tokenizerSHA256),
            ("dataset_sha256", header.datasetSHA256, self.specification.dataSet.sha256),
            ("task_hash", header.taskHash, self.specification.task.hash),
            ("logits_mode", header.logitsMode.rawValue, self.specification.settings.logits.rawValue),
        ]
        for (name, found, expected) in pairs where found != expected {
            throw self.refusal(path, "its \(name) is \(Printable.text(found, limit: 80)), the job's is \(expected)")
        }
    }

    private func refusal(_ path: String, _ reason: String) -> ReportError {
        ReportError(
            .notReportable,
            "\(path) does not belong to job \(self.job): \(reason); check it with assay results verify \(self.job)")
    }
}
