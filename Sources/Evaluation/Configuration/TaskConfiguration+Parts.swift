extension TaskConfiguration.FewShot {
    init(_ reader: inout MappingReader, isResolved: Bool) throws(TaskError) {
        self.count = try reader.integer("num_fewshot", in: 0...1000) ?? 0
        let split = try reader.string("fewshot_split")
        guard let node = reader.node("fewshot_config") else {
            self.split = split
            guard self.count == 0 else { throw Self.randomSampler(reader.place) }
            return
        }
        var inner = try MappingReader(node, name: "fewshot_config")
        let sampler = try inner.string("sampler") ?? "default"
        self.split = try inner.string("split") ?? split
        if let nodes = try inner.list("samples") {
            guard self.split == nil || isResolved else {
                throw node.error(.invalidValue, "fewshot_config has samples and a split; remove one of them")
            }
            var samples: [JSONValue] = []
            for node in nodes {
                guard case .mapping = node.content else {
                    throw inner.wrong("samples", node, "a list of rows (column: value)")
                }
                samples.append(node.value)
            }
            self.samples = samples
        }
        self.docToText = try inner.template("doc_to_text")
        self.docToTarget = try inner.target("doc_to_target")
        self.docToChoice = try inner.choices("doc_to_choice")
        self.targetDelimiter = try inner.string("target_delimiter")
        self.delimiter = try inner.string("fewshot_delimiter")
        try inner.finish(refused: [
            "process_docs": "it runs Python code; prepare the data file instead",
            "fewshot_indices": "put the rows you want first in the file, or list them as samples",
            "gen_prefix": "put the text at the end of doc_to_text",
        ])
        guard self.count == 0 || sampler == "first_n" else { throw Self.randomSampler(node.place) }
        if let samples = self.samples, samples.count < self.count {
            throw node.error(
                .invalidValue, "num_fewshot is \(self.count), but fewshot_config lists \(samples.count) samples")
        }
    }

    private static func randomSampler(_ place: ConfigurationNode.Place) -> TaskError {
        place.error(
            .unsupported,
            "num_fewshot is above 0 with lm-eval's random sampler, which is not supported yet; add "
                + "fewshot_config: {sampler: first_n}")
    }
}

extension TaskConfiguration.Generation {
    /// `nil` unless the task generates.
    init?(
        _ reader: inout MappingReader, outputType: OutputType, fewShotDelimiter: String
    ) throws(TaskError) {
        self.until = [fewShotDelimiter]
        self.maxTokens = 256
        guard let node = reader.node("generation_kwargs") else {
            if outputType == .generateUntil { return }
            return nil
        }
        guard outputType == .generateUntil else {
            throw node.error(
                .invalidValue, "generation_kwargs is for output_type generate_until, not \(outputType.rawValue)")
        }
        var inner = try MappingReader(node, name: "generation_kwargs")
        if let until = try inner.strings("until") {
            guard !until.contains("") else {
                throw node.error(.invalidValue, "until has an empty string, at which every text would end")
            }
            self.until = until
        }
        for key in ["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"].reversed() {
            if let limit = try inner.integer(key, in: 1...1_000_000) { self.maxTokens = limit }
        }
        let greedy = "only greedy answers are supported: set do_sample to false and temperature to 0"
        if let sample = inner.node("do_sample"), sample.value != .bool(false) {
            throw sample.error(.unsupported, "do_sample is \(sample.found); \(greedy)")
        }
        if let temperature = inner.node("temperature"), ![.int(0), .double(0)].contains(temperature.value) {
            throw temperature.error(.unsupported, "temperature is \(temperature.found); \(greedy)")
        }
        let sampling = "it is for sampling; \(greedy)"
        try inner.finish(refused: [
            "top_p": sampling, "top_k": sampling, "min_p": sampling, "seed": sampling, "num_beams": sampling,
            "repetition_penalty": sampling, "presence_penalty": sampling, "frequency_penalty": sampling,
            "max_length": "use max_gen_toks",
        ])
    }
}

extension FilterPipeline {
    private enum Function: String, CaseIterable {
        case regex
        case removeWhitespace = "remove_whitespace"
        case takeFirst = "take_first"
    }

    static func list(_ reader: inout MappingReader, outputType: OutputType) throws(TaskError) -> [FilterPipeline] {
        guard let node = reader.node("filter_list") else { return [] }
        guard outputType == .generateUntil else {
            throw node.error(.unsupported, "filter_list is for output_type generate_until, not \(outputType.rawValue)")
        }
        guard case .list(let nodes) = node.content, !nodes.isEmpty else {
            throw reader.wrong("filter_list", node, "a list of {name, filter}")
        }
        var pipelines: [FilterPipeline] = []
        for node in nodes {
            var inner = try MappingReader(node, name: "an entry of filter_list")
            guard let name = try inner.string("name"), !name.isEmpty, !name.contains(",") else {
                throw inner.missing("name", "give each filter a name of its own without commas")
            }
            guard !pipelines.contains(where: { $0.name == name }) else {
                throw node.error(.invalidValue, "the filter \(name) is there twice")
            }
            guard let steps = try inner.list("filter") else {
                throw inner.missing("filter", "list functions such as {function: take_first}")
            }
            try inner.finish()
            var filters: [Filter] = []
            for step in steps {
                guard filters.last != .takeFirst else {
                    throw step.error(.invalidValue, "take_first must be the last function of a filter")
                }
                filters.append(try Self.filter(step))
            }
            pipelines.append(FilterPipeline(name: name, filters: filters))
        }
        return pipelines
    }

    private static func filter(_ node: ConfigurationNode) throws(TaskError) -> Filter {
        var reader = try MappingReader(node, name: "a filter")
        guard let function = try reader.choice("function", of: Function.self) else {
            throw reader.missing("function", "name regex, remove_whitespace or take_first")
        }
        var filter: Filter
        switch function {
        case .removeWhitespace: filter = .removeWhitespace
        case .takeFirst: filter = .takeFirst
        case .regex:
            let pattern = try reader.regex("regex_pattern") ?? #"#### (\-?[0-9\.\,]+)"#
            let group = try reader.integer("group_select", in: -1_000_000...1_000_000) ?? 0
            filter = .regex(
                pattern: pattern, group: group, fallback: try reader.string("fallback") ?? "[invalid]")
        }
        try reader.finish()
        return filter
    }
}

extension MetricConfiguration {
    static func list(_ reader: inout MappingReader, outputType: OutputType) throws(TaskError) -> [MetricConfiguration] {
        guard let nodes = try reader.list("metric_list") else {
            return outputType.defaultMetrics.map {
                MetricConfiguration(metric: $0, higherIsBetter: $0.higherIsBetter, normalization: .init())
            }
        }
        var metrics: [MetricConfiguration] = []
        for node in nodes {
            let metric = try MetricConfiguration(node, outputType: outputType)
            guard !metrics.contains(where: { $0.metric == metric.metric }) else {
                throw node.error(.invalidValue, "the metric \(metric.metric.rawValue) is there twice")
            }
            metrics.append(metric)
        }
        guard !metrics.isEmpty else { throw reader.missing("metric_list", "name at least one metric") }
        return metrics
    }

    private init(_ node: ConfigurationNode, outputType: OutputType) throws(TaskError) {
        var reader = try MappingReader(node, name: "an entry of metric_list")
        guard let metric = try reader.choice("metric", of: Metric.self) else {
            throw reader.missing("metric", "name a metric")
        }
        guard outputType.metrics.contains(metric) else {
            let names = outputType.metrics.map(\.rawValue).joined(separator: ", ")
            throw node.error(
                .invalidValue, "\(outputType.rawValue) has no metric \(metric.rawValue); it has \(names)")
        }
        if let aggregation = reader.node("aggregation"),
            aggregation.value != .string(metric.aggregation.rawValue)
        {
            throw aggregation.error(
                .unsupported,
                "\(metric.rawValue) can't be aggregated by \(aggregation.found), only by \(metric.aggregation.rawValue)"
            )
        }
        self.metric = metric
        self.higherIsBetter = try reader.boolean("higher_is_better") ?? metric.higherIsBetter
        self.normalization = ExactMatchNormalization()
        if metric == .exactMatch, outputType == .generateUntil {
            self.normalization.regexesToIgnore = try reader.strings("regexes_to_ignore") ?? []
            for pattern in self.normalization.regexesToIgnore { try MappingReader.checkRegex(pattern, node) }
            self.normalization.ignoreCase = try reader.boolean("ignore_case") ?? false
            self.normalization.ignorePunctuation = try reader.boolean("ignore_punctuation") ?? false
            self.normalization.ignoreNumbers = try reader.boolean("ignore_numbers") ?? false
        }
        try reader.finish(refused: ["hf_evaluate": "metrics are built in"])
    }
}

extension MappingReader {
    /// A regular expression that can be parsed.
    mutating func regex(_ key: String) throws(TaskError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.string(let pattern)) = node.content else {
            throw self.wrong(key, node, "a regular expression in quotes")
        }
        try Self.checkRegex(pattern, node)
        return pattern
    }

    static func checkRegex(_ pattern: String, _ node: ConfigurationNode) throws(TaskError) {
        do throws(PatternError) {
            _ = try PythonRegex(pattern)
        } catch {
            let place = error.offset.map { " at character \($0 + 1)" } ?? ""
            throw node.error(.invalidValue, "the regular expression \"\(pattern)\" is wrong\(place): \(error.message)")
        }
    }
}
