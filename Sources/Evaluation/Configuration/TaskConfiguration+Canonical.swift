internal import OrderedCollections

extension TaskConfiguration {
    /// Everything that is known of the task but where its files are, with the keys of a task file.
    ///
    /// Every default is written out, so that a file that spells one out is the same task. Keys are sorted, but not
    /// those of the examples: templates may go through a row's columns in their order.
    func canonical(samples: [JSONValue]) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "task": .string(self.name),
            "output_type": .string(self.outputType.rawValue),
            "doc_to_text": .string(self.docToText),
            "doc_to_target": self.docToTarget.canonical,
            "description": .string(self.taskDescription),
            "target_delimiter": .string(self.targetDelimiter),
            "fewshot_delimiter": .string(self.fewShotDelimiter),
            "num_fewshot": .int(self.fewShot.count),
            "metric_list": .array(self.metrics.map { $0.canonical(self.outputType) }),
            "should_decontaminate": .bool(self.shouldDecontaminate),
            "metadata": self.metadata,
        ]
        for (key, text) in [
            ("task_alias", self.alias), ("training_split", self.trainingSplit),
            ("validation_split", self.validationSplit), ("test_split", self.testSplit),
            ("doc_to_decontamination_query", self.decontaminationQuery),
        ] {
            if let text { members[key] = .string(text) }
        }
        if !self.tags.isEmpty { members["tag"] = .array(self.tags.map(JSONValue.string)) }
        if let choices = self.docToChoice { members["doc_to_choice"] = choices.canonical }
        if self.fewShot.count > 0 {
            members["fewshot_config"] = self.fewShot.canonical(split: self.fewShotSplit, samples: samples)
        }
        if let generation = self.generation {
            members["generation_kwargs"] = .object([
                "until": .array(generation.until.map(JSONValue.string)), "max_gen_toks": .int(generation.maxTokens),
            ])
        }
        if !self.filters.isEmpty { members["filter_list"] = .array(self.filters.map(\.canonical)) }
        return JSONValue.object(members).sortingKeys(but: "samples")
    }
}

extension TaskConfiguration.Target {
    fileprivate var canonical: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .int(number)
        }
    }
}

extension TaskConfiguration.Choices {
    fileprivate var canonical: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .list(let choices): .array(choices.map(JSONValue.string))
        }
    }
}

extension TaskConfiguration.FewShot {
    fileprivate func canonical(split: String?, samples: [JSONValue]) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "sampler": .string("first_n"), "samples": .array(samples),
        ]
        if let split { members["split"] = .string(split) }
        if let text = self.docToText { members["doc_to_text"] = .string(text) }
        if let target = self.docToTarget { members["doc_to_target"] = target.canonical }
        if let choices = self.docToChoice { members["doc_to_choice"] = choices.canonical }
        if let delimiter = self.targetDelimiter { members["target_delimiter"] = .string(delimiter) }
        if let delimiter = self.delimiter { members["fewshot_delimiter"] = .string(delimiter) }
        return .object(members)
    }
}

extension FilterPipeline {
    fileprivate var canonical: JSONValue {
        .object(["name": .string(self.name), "filter": .array(self.filters.map(Self.canonical))])
    }

    private static func canonical(_ filter: Filter) -> JSONValue {
        switch filter {
        case .takeFirst: .object(["function": .string("take_first")])
        case .removeWhitespace: .object(["function": .string("remove_whitespace")])
        case .regex(let pattern, let group, let fallback):
            .object([
                "function": .string("regex"), "regex_pattern": .string(pattern), "group_select": .int(group),
                "fallback": .string(fallback),
            ])
        }
    }
}

extension MetricConfiguration {
    fileprivate func canonical(_ outputType: OutputType) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [
            "metric": .string(self.metric.rawValue), "higher_is_better": .bool(self.higherIsBetter),
        ]
        if self.metric == .exactMatch, outputType == .generateUntil {
            let normalization = self.normalization
            members["regexes_to_ignore"] = .array(normalization.regexesToIgnore.map(JSONValue.string))
            members["ignore_case"] = .bool(normalization.ignoreCase)
            members["ignore_punctuation"] = .bool(normalization.ignorePunctuation)
            members["ignore_numbers"] = .bool(normalization.ignoreNumbers)
        }
        return .object(members)
    }
}
