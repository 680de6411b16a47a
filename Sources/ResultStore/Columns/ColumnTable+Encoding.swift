import Evaluation

extension ColumnTable {
    /// The columns of samples that all have the same metrics; throws `invalidInput` for what cannot be stored.
    init(_ samples: [SampleResult], logitsMode: LogitsMode) throws(StoreError) {
        let names = samples.first.map { $0.metrics.map(\.name) } ?? []
        if let problem = MetricName.problem(with: names) { throw Self.invalid("/samples", problem) }
        for sample in samples where sample.metrics.map(\.name) != names {
            throw Self.invalid(
                "/samples",
                "sample \"\(sample.sampleID)\" has the metrics \(sample.metrics.map(\.name)), the first has \(names)")
        }
        var metrics: [ShardSchema.Metric] = []
        for (index, name) in names.enumerated() {
            let terms = samples[0].metrics[index].termNames
            let odd = samples.first {
                $0.metrics[index].termNames != terms || $0.metrics[index].terms.count != terms.count
            }
            if let odd {
                throw Self.invalid("/samples/\(name)", "sample \"\(odd.sampleID)\" has other terms than the first")
            }
            let hasWeights = samples.contains { $0.metrics[index].weight != 1 }
            metrics.append(ShardSchema.Metric(name: name, hasWeights: hasWeights, terms: terms))
        }
        self.init(
            schema: ShardSchema(
                metrics: metrics, logitsMode: logitsMode,
                hasGenerations: samples.contains { !$0.generations.isEmpty },
                hasEpochs: samples.contains { $0.metrics.contains { !$0.epochs.isEmpty } },
                hasClusters: samples.contains { $0.cluster != nil }))
        try self.encodeSamples(samples)
        self.encodeTexts(samples.map(\.prompt), at: "/text/prompt")
        self.encodeTexts(samples.map(\.generation), at: "/text/generation")
        if self.schema.hasChoices { try self.encodeChoices(samples) }
        if self.schema.hasTokens { self.encodeTokens(samples) }
        if self.schema.hasGenerations { try self.encodeGenerations(samples) }
        if self.schema.hasEpochs { try self.encodeEpochs(samples) }
    }

    private mutating func encodeSamples(_ samples: [SampleResult]) throws(StoreError) {
        var seen: Set<String> = []
        for sample in samples {
            guard !sample.sampleID.utf8.contains(0), seen.insert(sample.sampleID).inserted else {
                throw Self.invalid(
                    "/samples/_index", "the sample id \"\(sample.sampleID)\" is there twice or has U+0000 in it")
            }
        }
        self["/samples/_index"] = .strings(samples.map(\.sampleID))
        self["/samples/row"] = .int64(samples.map { Int64($0.row) })
        self["/samples/target"] = .strings(samples.map { Self.withoutNull($0.target) })
        self["/samples/prediction"] = .strings(samples.map { Self.withoutNull($0.prediction) })
        if self.schema.hasClusters {
            self["/samples/cluster"] = .strings(samples.map { Self.withoutNull($0.cluster ?? "") })
        }
        for (index, metric) in self.schema.metrics.enumerated() {
            self["/samples/\(metric.name)"] = .float64(samples.map { Self.canonical($0.metrics[index].value) })
            if metric.hasWeights {
                self["/samples/\(metric.weightName)"] = .float64(
                    samples.map { Self.canonical($0.metrics[index].weight) })
            }
            for (term, name) in metric.termNames.enumerated() {
                self["/samples/\(name)"] = .float64(samples.map { Self.canonical($0.metrics[index].terms[term]) })
            }
        }
        self["/samples/finish_reason/codes"] = .int8(samples.map { FinishReason.code($0.finishReason) })
        self["/samples/finish_reason/categories"] = .strings(FinishReason.categories.map(\.rawValue))
        self["/samples/n_prompt"] = .int64(samples.map { Int64($0.promptTokens) })
        self["/samples/n_generated"] = .int64(samples.map { Int64($0.generatedTokens) })
        self["/samples/is_truncated"] = .bool(samples.map(\.isTruncated))
        self["/samples/is_unparsed"] = .bool(samples.map(\.isUnparsed))
    }

    private mutating func encodeChoices(_ samples: [SampleResult]) throws(StoreError) {
        let choices = samples.flatMap(\.choices)
        self["/index/choices"] = .uint64(Self.offsets(samples.map(\.choices.count)))
        self["/choices/logprob_sum"] = .float64(choices.map { Self.canonical($0.logProb) })
        self["/choices/n_tokens"] = .int32(try Self.int32(choices.map(\.tokenCount), "/choices/n_tokens"))
        self["/choices/n_bytes"] = .int32(try Self.int32(choices.map(\.byteCount), "/choices/n_bytes"))
        self["/choices/n_chars"] = .int32(try Self.int32(choices.map(\.characterCount), "/choices/n_chars"))
        self["/choices/is_greedy"] = .bool(choices.map(\.isGreedy))
        self.encodeTexts(choices.map(\.text), at: "/choices/text")
    }

    private mutating func encodeGenerations(_ samples: [SampleResult]) throws(StoreError) {
        let generations = samples.flatMap(\.generations)
        self["/index/generations"] = .uint64(Self.offsets(samples.map(\.generations.count)))
        self["/generations/n_tokens"] = .int32(try Self.int32(generations.map(\.tokenCount), "/generations/n_tokens"))
        self["/generations/finish_reason"] = .int8(generations.map { FinishReason.code($0.finishReason) })
        self.encodeTexts(generations.map(\.text), at: "/generations/text")
    }

    private mutating func encodeEpochs(_ samples: [SampleResult]) throws(StoreError) {
        let counts = samples.map { $0.metrics.first?.epochs.count ?? 0 }
        for (sample, count) in zip(samples, counts) where sample.metrics.contains(where: { $0.epochs.count != count }) {
            throw Self.invalid("/epochs", "sample \"\(sample.sampleID)\" has metrics of unlike numbers of epochs")
        }
        self["/index/epochs"] = .uint64(Self.offsets(counts))
        for (index, metric) in self.schema.metrics.enumerated() {
            self["/epochs/\(metric.name)"] = .float64(
                samples.flatMap { $0.metrics[index].epochs.map(Self.canonical) })
        }
    }

    private mutating func encodeTokens(_ samples: [SampleResult]) {
        let tokens = samples.flatMap(\.tokens)
        self["/index/tokens"] = .uint64(Self.offsets(samples.map(\.tokens.count)))
        self["/tokens/token_id"] = .int32(tokens.map(\.tokenID))
        self["/tokens/logprob"] = .float32(tokens.map { $0.logProb.isNaN ? .nan : $0.logProb })
        self["/tokens/is_prompt"] = .bool(tokens.map(\.isPrompt))
        self["/tokens/request"] = .int32(tokens.map(\.request))
    }

    private mutating func encodeTexts(_ texts: [String], at path: String) {
        self[path] = .uint8(texts.flatMap(\.utf8))
        self["\(path)_offsets"] = .uint64(Self.offsets(texts.map(\.utf8.count)))
    }

    static func offsets(_ counts: [Int]) -> [UInt64] {
        var offsets: [UInt64] = [0]
        offsets.reserveCapacity(counts.count + 1)
        var total: UInt64 = 0
        for count in counts {
            total += UInt64(count)
            offsets.append(total)
        }
        return offsets
    }

    /// One bit pattern for every NaN, so that equal results have equal bytes.
    private static func canonical(_ value: Double) -> Double { value.isNaN ? .nan : value }

    /// The symbol for U+0000 in place of it, which would end a fixed string; the text as generated is in /text.
    private static func withoutNull(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{2400}" : $0 }))
    }

    private static func int32(_ values: [Int], _ path: String) throws(StoreError) -> [Int32] {
        var result: [Int32] = []
        result.reserveCapacity(values.count)
        for value in values {
            guard let value = Int32(exactly: value) else { throw invalid(path, "\(value) does not fit into 32 bits") }
            result.append(value)
        }
        return result
    }

    private static func invalid(_ path: String, _ message: String) -> StoreError {
        StoreError(.invalidInput, path: path, "the samples cannot be stored: \(message).")
    }
}

extension FinishReason {
    /// The categories in the file, in the order of their codes; never changed, so that shards can be joined.
    static let categories: [FinishReason] = [.stop, .endOfText, .length]

    /// -1 where no text was generated, as pandas has it.
    static func code(_ reason: FinishReason?) -> Int8 {
        guard let reason, let index = categories.firstIndex(of: reason) else { return -1 }
        return Int8(index)
    }
}
