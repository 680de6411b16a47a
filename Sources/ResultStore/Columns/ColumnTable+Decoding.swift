import Evaluation

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
