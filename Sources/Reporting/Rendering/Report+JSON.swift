internal import Evaluation
internal import Statistics

extension Report {
    /// The content of report.json: every number exact, members in a fixed order.
    var json: JSONValue {
        .object([
            .init("format", .string("assay-report")),
            .init("schema_version", .int(Self.schemaVersion)),
            .init(
                "tool",
                .object([.init("name", .string("assay-report")), .init("version", .string(self.toolVersion))])),
            .init("report", .string(self.name.value)),
            .init(
                "run",
                .object([
                    .init("id", .string(self.runID)), .init("name", .string(self.runName)),
                    .init("project", .string(self.project)),
                ])),
            .init("rebuild", .string(self.rebuildCommand)),
            .init(
                "scores",
                .array(self.tasks.flatMap { task in task.jobs.flatMap { job in job.scores.map { $0.json(in: job) } } })),
            .init("groups", .array(self.groups.flatMap { group in group.scores.map { $0.json(in: group) } })),
            .init("jobs", .array(self.tasks.flatMap { $0.jobs.map(\.json) })),
        ])
    }
}

extension Score {
    fileprivate func json(in report: JobReport) -> JSONValue {
        .object([
            .init("job", .string(report.job.name)),
            .init("task", .string(report.job.task.name)),
            .init("model", .string(report.job.model.name)),
            .init("metric", .string(self.metric.metric.name)),
            .init("filter", .string(orNull: self.metric.filterName)),
            .init("column", .string(self.metric.name)),
            .init("aggregation", .string(self.metric.aggregation.rawValue)),
            .init("higher_is_better", .bool(self.metric.higherIsBetter)),
            .init("n", .int(self.estimate.count)),
            .init("clusters", self.estimate.clusterCount.map { .int($0) } ?? .null),
            .init("value", .double(orNull: self.estimate.value)),
            .init("standard_error", .double(orNull: self.estimate.standardError)),
            .init("interval", self.estimate.interval?.json ?? .null),
            .init("method", .string(self.estimate.method.rawValue)),
            .init("note", .string(orNull: self.estimate.gap?.note)),
        ])
    }
}

extension GroupReport.Score {
    fileprivate func json(in group: GroupReport) -> JSONValue {
        .object([
            .init("group", .string(group.name)),
            .init("alias", .string(orNull: group.alias)),
            .init("model", .string(self.model)),
            .init("metric", .string(self.metric.metric.name)),
            .init("filter", .string(orNull: self.metric.filterName)),
            .init("higher_is_better", .bool(self.metric.higherIsBetter)),
            .init("tasks", .int(self.tasks)),
            .init("n", .int(self.estimate.count)),
            .init("value", .double(orNull: self.estimate.value)),
            .init("standard_error", .double(orNull: self.estimate.standardError)),
            .init("interval", self.estimate.interval?.json ?? .null),
            .init("method", .string(self.estimate.method.rawValue)),
            .init("note", .string(orNull: self.estimate.gap?.note)),
        ])
    }
}

extension ConfidenceInterval {
    fileprivate var json: JSONValue {
        .object([
            .init("level", .double(Self.level)), .init("lower", .double(self.lower)),
            .init("upper", .double(self.upper)),
        ])
    }
}

extension JobReport {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("job", .string(self.job.name)),
            .init("digest", .string(self.job.digest)),
            .init("results", .string(self.job.resultPath)),
            .init("samples", .string(self.samplesFile)),
            .init("shards", .int(self.job.shardCount)),
            .init("task", self.job.task.json),
            .init("dataset_sha256", .string(self.job.datasetSHA256)),
            .init("prompts_hash", .string(orNull: self.job.promptsHash)),
            .init("model", self.job.model.json),
            .init("engines", .array(self.job.engines.map(\.json))),
            .init("logits_mode", .string(self.job.logitsMode)),
            .init("settings", self.settings),
            .init("health", self.health.json),
        ]
        if !self.job.reusedFrom.isEmpty {
            let reused = self.job.reusedFrom.sorted { $0.key < $1.key }
                .map { JSONValue.Member($0.key, .int($0.value)) }
            members.append(.init("reused_from", .object(reused)))
        }
        return .object(members)
    }
}

extension TaskInput {
    fileprivate var json: JSONValue {
        .object([
            .init("name", .string(self.name)), .init("alias", .string(orNull: self.alias)),
            .init("version", .string(orNull: self.version)), .init("hash", .string(self.hash)),
        ])
    }
}

extension ModelInput {
    fileprivate var json: JSONValue {
        .object([
            .init("name", .string(self.name)), .init("sha256", .string(self.sha256)),
            .init("tokenizer_sha256", .string(orNull: self.tokenizerSHA256)),
        ])
    }
}

extension EngineInput {
    fileprivate var json: JSONValue {
        .object(
            [
                .init("name", .string(self.name)), .init("build", .string(self.build)),
                .init("device_kind", .string(self.deviceKind)),
            ] + (self.settings.map { [.init("settings", Self.parsed($0))] } ?? []))
    }

    private static func parsed(_ settings: String) -> JSONValue {
        (try? JSONValue(parsing: settings, source: "the engine's settings")) ?? .string(settings)
    }
}

extension Health {
    fileprivate var json: JSONValue {
        func member(_ count: Int?) -> JSONValue {
            guard let count else { return .null }
            return .object([.init("count", .int(count)), .init("share", .double(self.share(count)))])
        }
        return .object([
            .init("samples", .int(self.samples)),
            .init("truncated", member(self.truncated)),
            .init("unparsed", member(self.unparsed)),
            .init("hit_max_tokens", member(self.hitMaxTokens)),
            .init("prompt_tokens", .int(self.promptTokens)),
            .init("generated_tokens", .int(self.generatedTokens)),
        ])
    }
}

extension JSONValue {
    static func string(orNull value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    static func double(orNull value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }
}
