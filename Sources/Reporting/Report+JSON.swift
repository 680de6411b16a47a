internal import Evaluation
internal import JSON
internal import OrderedCollections
internal import Statistics

extension Report {
    /// The content of report.json: every number exact, members in a fixed order.
    var json: JSONValue {
        .object([
            "format": .string("assay-report"),
            "schema_version": .int(Self.schemaVersion),
            "tool": .object(["name": .string("assay-report"), "version": .string(self.toolVersion)]),
            "report": .string(self.name.value),
            "run": .object([
                "id": .string(self.runID), "name": .string(self.runName),
                "project": .string(self.project),
            ]),
            "rebuild": .string(self.rebuildCommand),
            "scores": .array(
                self.tasks.flatMap { task in task.jobs.flatMap { job in job.scores.map { $0.json(in: job) } } }),
            "groups": .array(self.groups.flatMap { group in group.scores.map { $0.json(in: group) } }),
            "jobs": .array(self.tasks.flatMap { $0.jobs.map(\.json) }),
        ])
    }
}

extension Score {
    fileprivate func json(in report: JobReport) -> JSONValue {
        .object([
            "job": .string(report.job.name),
            "task": .string(report.job.task.name),
            "model": .string(report.job.model.name),
            "metric": .string(self.metric.metric.name),
            "filter": .string(orNull: self.metric.filterName),
            "column": .string(self.metric.name),
            "aggregation": .string(self.metric.aggregation.rawValue),
            "higher_is_better": .bool(self.metric.higherIsBetter),
            "n": .int(self.estimate.count),
            "clusters": self.estimate.clusterCount.map { .int($0) } ?? .null,
            "value": .double(orNull: self.estimate.value),
            "standard_error": .double(orNull: self.estimate.standardError),
            "interval": self.estimate.interval?.json ?? .null,
            "method": .string(self.estimate.method.rawValue),
            "note": .string(orNull: self.estimate.gap?.note),
        ])
    }
}

extension GroupReport.Score {
    fileprivate func json(in group: GroupReport) -> JSONValue {
        .object([
            "group": .string(group.name),
            "alias": .string(orNull: group.alias),
            "model": .string(self.model),
            "metric": .string(self.metric.metric.name),
            "filter": .string(orNull: self.metric.filterName),
            "higher_is_better": .bool(self.metric.higherIsBetter),
            "tasks": .int(self.tasks),
            "n": .int(self.estimate.count),
            "value": .double(orNull: self.estimate.value),
            "standard_error": .double(orNull: self.estimate.standardError),
            "interval": self.estimate.interval?.json ?? .null,
            "method": .string(self.estimate.method.rawValue),
            "note": .string(orNull: self.estimate.gap?.note),
        ])
    }
}

extension ConfidenceInterval {
    fileprivate var json: JSONValue {
        .object([
            "level": .double(Self.level), "lower": .double(self.lower),
            "upper": .double(self.upper),
        ])
    }
}

extension JobReport {
    fileprivate var json: JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "job": .string(self.job.name),
            "digest": .string(self.job.digest),
            "results": .string(self.job.resultPath),
            "samples": .string(self.samplesFile),
            "shards": .int(self.job.shardCount),
            "task": self.job.task.json,
            "dataset_sha256": .string(self.job.datasetSHA256),
            "prompts_hash": .string(orNull: self.job.promptsHash),
            "model": self.job.model.json,
            "engines": .array(self.job.engines.map(\.json)),
            "logits_mode": .string(self.job.logitsMode),
            "settings": self.settings,
            "health": self.health.json,
        ]
        if !self.job.reusedFrom.isEmpty {
            let reused = self.job.reusedFrom.sorted { $0.key < $1.key }
                .map { ($0.key, JSONValue.int($0.value)) }
            members["reused_from"] = .object(OrderedDictionary(uniqueKeysWithValues: reused))
        }
        return .object(members)
    }
}

extension TaskInput {
    fileprivate var json: JSONValue {
        .object([
            "name": .string(self.name), "alias": .string(orNull: self.alias),
            "version": .string(orNull: self.version), "hash": .string(self.hash),
        ])
    }
}

extension ModelInput {
    fileprivate var json: JSONValue {
        .object([
            "name": .string(self.name), "sha256": .string(self.sha256),
            "tokenizer_sha256": .string(orNull: self.tokenizerSHA256),
        ])
    }
}

extension EngineInput {
    fileprivate var json: JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "name": .string(self.name), "build": .string(self.build),
            "device_kind": .string(self.deviceKind),
        ]
        members["settings"] = self.settings.map(Self.parsed)
        return .object(members)
    }

    private static func parsed(_ settings: String) -> JSONValue {
        (try? JSONValue.parsed(settings, source: "the engine's settings")) ?? .string(settings)
    }
}

extension Health {
    fileprivate var json: JSONValue {
        func member(_ count: Int?) -> JSONValue {
            guard let count else { return .null }
            return .object(["count": .int(count), "share": .double(self.share(count))])
        }
        return .object([
            "samples": .int(self.samples),
            "truncated": member(self.truncated),
            "unparsed": member(self.unparsed),
            "hit_max_tokens": member(self.hitMaxTokens),
            "prompt_tokens": .int(self.promptTokens),
            "generated_tokens": .int(self.generatedTokens),
        ])
    }
}

extension JSONValue {
    static func string(orNull value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    static func double(orNull value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }

    /// The largest text that is parsed, in bytes.
    private static let sizeLimit = 64 << 20

    /// Parses a JSON text; members are ordered by key, and whole numbers are integers, so that equal values print alike.
    ///
    /// - Parameter source: What the text is, for the error's message.
    static func parsed(_ text: String, source: String) throws(ReportError) -> JSONValue {
        guard text.utf8.count <= Self.sizeLimit else {
            throw ReportError(
                .malformed, "\(source) has \(text.utf8.count) bytes; at most \(Self.sizeLimit) are read as JSON")
        }
        do throws(JSONError) {
            return try JSONValue.parse(text.utf8, [.largeIntegers, .repeatedKeys]).canonical
        } catch {
            throw ReportError(.malformed, "\(source) is not valid JSON: \(error.message) (byte \(error.offset))")
        }
    }

    private var canonical: JSONValue {
        switch self {
        case .double(let number) where !(number == 0 && number.sign == .minus):
            Int(exactly: number).map { .int($0) } ?? self
        case .array(let items): .array(items.map(\.canonical))
        case .object(let members):
            .object(
                OrderedDictionary(
                    uniqueKeysWithValues: members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.canonical) }))
        default: self
        }
    }
}
