internal import Datasets
internal import Evaluation
internal import JSON
internal import OrderedCollections

extension TaskConfiguration {
    /// Everything that is known of the task but where its files are, with the keys of a task file.
    ///
    /// Every default is written out, so that a file that spells one out is the same task. Keys are sorted, but not
    /// those of the examples: templates may go through a row's columns in their order.
    ///
    /// - Parameters:
    ///   - samples: The examples that are listed; all that can be drawn, or the first ones.
    ///   - pool: What examples are drawn from, if they are not listed.
    func canonical(samples: [JSONValue], pool: Pool?) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "task": .string(self.name),
            "output_type": .string(self.outputType.rawValue),
            "doc_to_text": self.docToText.canonical,
            "doc_to_target": self.docToTarget.canonical,
            "description": .string(self.taskDescription),
            "target_delimiter": .string(self.targetDelimiter),
            "fewshot_delimiter": .string(self.fewShotDelimiter),
            "num_fewshot": .int(self.fewShot.count),
            "metric_list": .array(
                self.metrics.map { $0.canonical(self.outputType, isNative: self.processResults != nil) }),
            "should_decontaminate": .bool(self.shouldDecontaminate),
            "metadata": self.metadata,
        ]
        for (key, text) in [
            ("task_alias", self.alias), ("training_split", self.trainingSplit),
            ("validation_split", self.validationSplit), ("test_split", self.testSplit),
            ("doc_to_decontamination_query", self.decontaminationQuery), ("gen_prefix", self.genPrefix),
        ] {
            if let text { members[key] = .string(text) }
        }
        if let function = self.processDocs { members["process_docs"] = function.canonical }
        if let function = self.processResults { members["process_results"] = function.canonical }
        if self.dataReading.typing == .verbatim {
            members["dataset_kwargs"] = .object(["typing": .string(self.dataReading.typing.rawValue)])
        }
        if !self.tags.isEmpty { members["tag"] = .array(self.tags.map(JSONValue.string)) }
        if let choices = self.docToChoice { members["doc_to_choice"] = choices.canonical }
        if let multiple = self.multipleInput { members["multiple_input"] = .bool(multiple) }
        if let multiple = self.multipleTarget { members["multiple_target"] = .bool(multiple) }
        if self.fewShot.count > 0 {
            members["fewshot_config"] = self.fewShot.canonical(samples: samples, pool: pool)
        }
        if let generation = self.generation {
            members["generation_kwargs"] = generation.canonical
        }
        if self.repeats > 1 {
            members["repeats"] = .int(self.repeats)
        }
        if self.epochs > 1 { members["epochs"] = .int(self.epochs) }
        if self.runsCode { members["unsafe_code"] = .bool(true) }
        if !self.filters.isEmpty { members["filter_list"] = .array(self.filters.map(\.canonical)) }
        return JSONValue.object(members).sortingKeys(but: "samples")
    }
}

extension BuiltinFunction {
    fileprivate var canonical: JSONValue { .object(["function": .string(self.name)]) }
}

extension TaskConfiguration.Field {
    fileprivate var canonical: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .function(let function): function.canonical
        }
    }
}

extension TaskConfiguration.Target {
    fileprivate var canonical: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .int(number)
        case .list(let targets): .array(targets)
        case .function(let function): function.canonical
        }
    }
}

extension TaskConfiguration.Choices {
    fileprivate var canonical: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .list(let choices): .array(choices.map(JSONValue.string))
        case .function(let function): function.canonical
        }
    }
}

extension TaskConfiguration.FewShot {
    fileprivate func canonical(samples: [JSONValue], pool: TaskConfiguration.Pool?) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = ["sampler": .string(self.sampler.rawValue)]
        if self.sampler == .random { members["seed"] = .int(Int(clamping: self.seed)) }
        if let pool {
            members["pool"] = .object(["sha256": .string(pool.sha256), "rows": .int(pool.rows)])
            if let indices = self.indices { members["fewshot_indices"] = .array(indices.map(JSONValue.int)) }
        } else {
            members["samples"] = .array(samples)
        }
        if let split = self.split { members["split"] = .string(split) }
        if let text = self.docToText { members["doc_to_text"] = text.canonical }
        if let target = self.docToTarget { members["doc_to_target"] = target.canonical }
        if let choices = self.docToChoice { members["doc_to_choice"] = choices.canonical }
        if let prefix = self.genPrefix { members["gen_prefix"] = .string(prefix) }
        if let delimiter = self.targetDelimiter { members["target_delimiter"] = .string(delimiter) }
        if let delimiter = self.delimiter { members["fewshot_delimiter"] = .string(delimiter) }
        return .object(members)
    }
}

extension TaskConfiguration.Generation {
    fileprivate var canonical: JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "until": .array(self.until.map(JSONValue.string)), "max_gen_toks": .int(self.maxTokens),
        ]
        if let sampling = self.sampling {
            members["do_sample"] = .bool(true)
            members["temperature"] = .double(sampling.temperature)
            members["top_p"] = .double(sampling.topP)
            members["min_p"] = .double(sampling.minP)
            members["seed"] = .int(Int(clamping: sampling.seed))
            if let topK = sampling.topK { members["top_k"] = .int(topK) }
        }
        switch self.constraint {
        case .grammar(let text): members["grammar"] = .string(text)
        // As text: its keys have an order, in which they are generated.
        case .jsonSchema(let text): members["json_schema"] = .string(text)
        case nil: break
        }
        return .object(members)
    }
}

extension FilterPipeline {
    fileprivate var canonical: JSONValue {
        .object(["name": .string(self.name), "filter": .array(self.filters.map(Self.canonical))])
    }

    private static func canonical(_ filter: Filter) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [:]
        if let function = filter.function { members["function"] = .string(function.rawValue) }
        switch filter {
        case .native(let function, let options):
            members["function"] = function.canonical
            members["regex_pattern"] = .string(options.expression.regexPattern)
            members["group_select"] = .int(options.expression.groupSelect)
            members["fallback"] = .string(options.expression.fallback)
            ExactMatchNormalization(
                regexesToIgnore: options.expression.regexesToIgnore, ignoreCase: options.expression.ignoreCase,
                ignorePunctuation: options.expression.ignorePunctuation
            ).write(to: &members, numbers: false)
            if !options.values.isEmpty {
                members["regex_pattern_to_value"] = .object(
                    .init(options.values.map { ($0.text, .string($0.value)) }, uniquingKeysWith: { first, _ in first }))
            }
        case .removeWhitespace, .lowercase, .uppercase, .takeFirst, .majorityVote: break
        case .takeFirstK(let count): members["k"] = .int(count)
        case .map(let entries, let fallback):
            members["mapping_dict"] = .object(
                .init(entries.map { ($0.text, $0.value) }, uniquingKeysWith: { first, _ in first }))
            if let fallback { members["default_value"] = fallback }
        case .regex(let pattern, let group, let fallback):
            members["regex_pattern"] = .string(pattern)
            members["group_select"] = .int(group)
            members["fallback"] = .string(fallback)
        case .multiChoiceRegex(let pattern, let group, let fallback, let normalization):
            members["regex_pattern"] = .string(pattern)
            members["group_select"] = .int(group)
            members["fallback"] = .string(fallback)
            normalization.write(to: &members, numbers: false)
        }
        return .object(members)
    }
}

extension MetricConfiguration {
    fileprivate func canonical(_ outputType: OutputType, isNative: Bool) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "metric": .string(self.metric.name), "higher_is_better": .bool(self.higherIsBetter),
        ]
        if self.aggregation != self.metric.aggregation || isNative {
            members["aggregation"] = .string(self.aggregation.rawValue)
        }
        if self.metric.comparesTexts, outputType == .generateUntil { self.normalization.write(to: &members) }
        return .object(members)
    }
}

extension ExactMatchNormalization {
    fileprivate func write(to members: inout OrderedDictionary<String, JSONValue>, numbers: Bool = true) {
        members["regexes_to_ignore"] = .array(self.regexesToIgnore.map(JSONValue.string))
        members["ignore_case"] = .bool(self.ignoreCase)
        members["ignore_punctuation"] = .bool(self.ignorePunctuation)
        if numbers { members["ignore_numbers"] = .bool(self.ignoreNumbers) }
    }
}
