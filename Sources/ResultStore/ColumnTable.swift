import Evaluation

/// The data sets of a shard by their paths, with checked access.
struct ColumnTable: Sendable, Hashable {
    let schema: ShardSchema
    private(set) var values: [String: ColumnValues] = [:]

    init(schema: ShardSchema) {
        self.schema = schema
    }

    subscript(_ path: String) -> ColumnValues? {
        get { self.values[path] }
        set { self.values[path] = newValue }
    }

    func int8(_ path: String) throws(StoreError) -> [Int8] {
        guard case .int8(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func uint8(_ path: String) throws(StoreError) -> [UInt8] {
        guard case .uint8(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func int32(_ path: String) throws(StoreError) -> [Int32] {
        guard case .int32(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func int64(_ path: String) throws(StoreError) -> [Int64] {
        guard case .int64(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func float32(_ path: String) throws(StoreError) -> [Float] {
        guard case .float32(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func float64(_ path: String) throws(StoreError) -> [Double] {
        guard case .float64(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func bool(_ path: String) throws(StoreError) -> [Bool] {
        guard case .bool(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func strings(_ path: String) throws(StoreError) -> [String] {
        guard case .strings(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    /// Offsets as ranges into something of `total` elements.
    ///
    /// Throws `malformed` unless there is one more than `count`, they start at 0, never fall and end at `total`.
    func ranges(_ path: String, count: Int, total: Int) throws(StoreError) -> [Range<Int>] {
        guard case .uint64(let offsets) = self.values[path] else { throw Self.missing(path) }
        guard offsets.count == count + 1, offsets.first == 0, offsets.last == UInt64(total) else {
            throw StoreError(
                .malformed, path: path, "the offsets do not lead from 0 to \(total) in \(count) steps.")
        }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        for (start, end) in zip(offsets, offsets.dropFirst()) {
            guard start <= end, end <= UInt64(total) else {
                throw StoreError(.malformed, path: path, "the offsets fall from \(start) to \(end).")
            }
            ranges.append(Int(start)..<Int(end))
        }
        return ranges
    }

    /// The texts behind a column of UTF-8 bytes and its offsets.
    func texts(_ path: String, count: Int) throws(StoreError) -> [String] {
        let bytes = try self.uint8(path)
        var texts: [String] = []
        for range in try self.ranges("\(path)_offsets", count: count, total: bytes.count) {
            guard let text = String(validating: bytes[range], as: UTF8.self) else {
                throw StoreError(.malformed, path: path, "text \(texts.count) is not UTF-8.")
            }
            texts.append(text)
        }
        return texts
    }

    private static func missing(_ path: String) -> StoreError {
        StoreError(.malformed, path: path, "the data set is missing or of another type.")
    }
}

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

extension ColumnTable {
    /// The columns of /samples, each with `count` values.
    func sampleTable(_ header: ShardHeader) throws(StoreError) -> SampleTable {
        let count = header.rowCount
        for column in self.schema.sampleColumns where column.joining == .concatenated {
            guard self[column.path]?.count == count else {
                throw StoreError(.malformed, path: column.path, "the data set does not have \(count) values.")
            }
        }
        var metrics: [SampleTable.Metric] = []
        for metric in self.schema.metrics {
            let values = try self.float64("/samples/\(metric.name)")
            let weights =
                metric.hasWeights
                ? try self.float64("/samples/\(metric.weightName)") : [Double](repeating: 1, count: count)
            var terms: [[Double]] = []
            for name in metric.termNames { terms.append(try self.float64("/samples/\(name)")) }
            metrics.append(
                SampleTable.Metric(
                    name: metric.name, values: values, weights: weights, termNames: metric.terms, terms: terms))
        }
        return SampleTable(
            header: header, sampleIDs: try self.strings("/samples/_index"), rows: try self.integers("/samples/row"),
            targets: try self.strings("/samples/target"),
            clusters: self.schema.hasClusters ? try self.strings("/samples/cluster") : nil,
            predictions: try self.strings("/samples/prediction"),
            metrics: metrics, finishReasons: try self.finishReasons(),
            promptTokens: try self.integers("/samples/n_prompt"),
            generatedTokens: try self.integers("/samples/n_generated"),
            isTruncated: try self.bool("/samples/is_truncated"), isUnparsed: try self.bool("/samples/is_unparsed"))
    }

    /// All samples with everything that was kept of them.
    func samples(_ header: ShardHeader) throws(StoreError) -> [SampleResult] {
        let table = try self.sampleTable(header)
        let count = header.rowCount
        let prompts = try self.texts("/text/prompt", count: count)
        let generations = try self.texts("/text/generation", count: count)
        let several = try self.generations(samples: count)
        let choices = try self.choices(samples: count)
        let tokens = try self.tokens(samples: count)
        let epochs = try self.epochs(samples: count)
        var samples: [SampleResult] = []
        samples.reserveCapacity(count)
        for index in 0..<count {
            samples.append(
                SampleResult(
                    sampleID: table.sampleIDs[index], row: table.rows[index], target: table.targets[index],
                    cluster: table.clusters?[index], prediction: table.predictions[index],
                    metrics: table.metrics.enumerated().map { number, metric in
                        MetricValue(
                            name: metric.name, value: metric.values[index], weight: metric.weights[index],
                            terms: metric.terms.map { $0[index] }, termNames: metric.termNames,
                            epochs: epochs[number][index])
                    },
                    finishReason: table.finishReasons[index], promptTokens: table.promptTokens[index],
                    generatedTokens: table.generatedTokens[index], isTruncated: table.isTruncated[index],
                    isUnparsed: table.isUnparsed[index], prompt: prompts[index], generation: generations[index],
                    generations: several[index], choices: choices[index], tokens: tokens[index]))
        }
        return samples
    }

    private func choices(samples count: Int) throws(StoreError) -> [[ChoiceResult]] {
        guard self.schema.hasChoices else { return [[ChoiceResult]](repeating: [], count: count) }
        let logProbs = try self.float64("/choices/logprob_sum")
        let total = logProbs.count
        let tokens = try self.int32("/choices/n_tokens")
        let bytes = try self.int32("/choices/n_bytes")
        let characters = try self.int32("/choices/n_chars")
        let isGreedy = try self.bool("/choices/is_greedy")
        let texts = try self.texts("/choices/text", count: total)
        guard [tokens.count, bytes.count, characters.count, isGreedy.count].allSatisfy({ $0 == total }) else {
            throw StoreError(.malformed, path: "/choices", "the data sets do not all have \(total) values.")
        }
        return try self.ranges("/index/choices", count: count, total: total).map { range in
            range.map { index in
                ChoiceResult(
                    text: texts[index], logProb: logProbs[index], tokenCount: Int(tokens[index]),
                    byteCount: Int(bytes[index]), characterCount: Int(characters[index]), isGreedy: isGreedy[index])
            }
        }
    }

    private func generations(samples count: Int) throws(StoreError) -> [[GenerationResult]] {
        guard self.schema.hasGenerations else { return [[GenerationResult]](repeating: [], count: count) }
        let counts = try self.int32("/generations/n_tokens")
        let codes = try self.int8("/generations/finish_reason")
        let total = counts.count
        let texts = try self.texts("/generations/text", count: total)
        guard codes.count == total, codes.allSatisfy({ (0..<Int8(FinishReason.categories.count)).contains($0) }) else {
            throw StoreError(
                .malformed, path: "/generations", "the data sets do not all have \(total) values, or codes are unknown."
            )
        }
        return try self.ranges("/index/generations", count: count, total: total).map { range in
            range.map { index in
                GenerationResult(
                    text: texts[index], finishReason: FinishReason.categories[Int(codes[index])],
                    tokenCount: Int(counts[index]))
            }
        }
    }

    /// By metric and sample; empty where there was one epoch.
    private func epochs(samples count: Int) throws(StoreError) -> [[[Double]]] {
        try self.schema.metrics.map { metric throws(StoreError) in
            guard self.schema.hasEpochs else { return [[Double]](repeating: [], count: count) }
            let values = try self.float64("/epochs/\(metric.name)")
            return try self.ranges("/index/epochs", count: count, total: values.count).map { Array(values[$0]) }
        }
    }

    private func tokens(samples count: Int) throws(StoreError) -> [[TokenResult]] {
        guard self.schema.hasTokens else { return [[TokenResult]](repeating: [], count: count) }
        let ids = try self.int32("/tokens/token_id")
        let total = ids.count
        let logProbs = try self.float32("/tokens/logprob")
        let isPrompt = try self.bool("/tokens/is_prompt")
        let requests = try self.int32("/tokens/request")
        guard [logProbs.count, isPrompt.count, requests.count].allSatisfy({ $0 == total }) else {
            throw StoreError(.malformed, path: "/tokens", "the data sets do not all have \(total) values.")
        }
        return try self.ranges("/index/tokens", count: count, total: total).map { range in
            range.map { index in
                TokenResult(
                    tokenID: ids[index], logProb: logProbs[index], isPrompt: isPrompt[index], request: requests[index])
            }
        }
    }

    private func finishReasons() throws(StoreError) -> [FinishReason?] {
        let path = "/samples/finish_reason"
        guard try self.strings("\(path)/categories") == FinishReason.categories.map(\.rawValue) else {
            throw StoreError(.malformed, path: path, "the categories are others than those of this version.")
        }
        var reasons: [FinishReason?] = []
        for code in try self.int8("\(path)/codes") {
            guard code >= -1, code < FinishReason.categories.count else {
                throw StoreError(.malformed, path: path, "there is no category \(code).")
            }
            reasons.append(code < 0 ? nil : FinishReason.categories[Int(code)])
        }
        return reasons
    }

    private func integers(_ path: String) throws(StoreError) -> [Int] {
        try self.int64(path).map { Int($0) }
    }
}
