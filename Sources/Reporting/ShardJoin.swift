internal import Evaluation
internal import ResultStore

/// Puts a job's shards together and refuses what does not belong to the job.
struct ShardJoin {
    let job: String
    let specification: JobSpecification
    let metrics: [MetricDefinition]
    private(set) var samples: [SampleRow] = []
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
        for row in 0..<count {
            self.samples.append(
                SampleRow(
                    sampleID: table.sampleIDs[row], cluster: table.clusters?[row], target: table.targets[row],
                    prediction: table.predictions[row], values: columnOfMetric.map { $0.values[row] },
                    weights: columnOfMetric.map { $0.weights[row] },
                    terms: columnOfMetric.map { column in column.terms.map { $0[row] } },
                    finishReason: table.finishReasons[row]?.rawValue,
                    promptTokens: table.promptTokens[row], generatedTokens: table.generatedTokens[row],
                    isTruncated: table.isTruncated[row], isUnparsed: table.isUnparsed[row]))
        }
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
        for sample in self.samples {
            guard seen.insert(sample.sampleID).inserted else {
                throw ReportError(
                    .notReportable,
                    "job \(self.job) has the sample id \"\(Printable.text(sample.sampleID, limit: 80))\" twice; "
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
            guard column.termNames == metric.aggregation.terms else {
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
