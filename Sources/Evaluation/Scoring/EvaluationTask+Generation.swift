internal import PythonCompat

extension EvaluationTask {
    /// The programs that decide a sample's score: each filtered text with the target behind it; none unless the task runs code.
    ///
    /// - Parameter responses: As `score` takes them.
    public func programs(
        _ sample: PreparedSample, requests: [[EngineRequest]], responses: [[EngineResponse]]
    ) throws(TaskError) -> [String] {
        guard self.configuration.runsCode else { return [] }
        let texts = try Answers(sample, requests, responses).generations().map(\.text)
        return try self.filtered(sample, texts).joined().joined().map { "\($0.text)\n\(sample.target)" }
    }

    /// Fills in prediction and metrics, from the texts in `result`.
    ///
    /// - Parameter verdicts: One for each of the sample's programs.
    func evaluateTexts(
        _ sample: PreparedSample, _ verdicts: [ProgramVerdict], _ result: inout SampleResult
    ) throws(TaskError) {
        let texts = result.generations.isEmpty ? [result.generation] : result.generations.map(\.text)
        let epochs = try self.filtered(sample, texts)
        let count = epochs.joined().reduce(0) { $0 + $1.count }
        guard verdicts.count == (self.configuration.runsCode ? count : 0) else {
            throw sample.error("there are \(verdicts.count) verdicts on \(count) programs")
        }
        let firsts = (epochs.first ?? []).compactMap(\.first)
        let shown = firsts.first { !$0.fellBack } ?? firsts.first
        result.prediction = verdicts.first?.summary ?? shown?.text ?? ""
        result.isUnparsed = epochs.contains { $0.contains { $0.first?.fellBack == true } }

        var rest = verdicts[...]
        var values: [[MetricValue]] = []
        for filters in epochs {
            var metrics: [MetricValue] = []
            for (filter, answers) in filters.enumerated() {
                let own = rest.prefix(answers.count)
                rest = rest.dropFirst(own.count)
                metrics += try self.values(sample, answers, filter: filter, Array(own), result)
            }
            values.append(metrics)
        }
        result.metrics = MetricValue.means(of: values)
    }

    /// What each filter leaves of each epoch's texts: by epoch, by filter.
    private func filtered(
        _ sample: PreparedSample, _ texts: [String]
    ) throws(TaskError) -> [[[CompiledPipeline.Answer]]] {
        let size = self.configuration.repeats
        guard texts.count == size * self.configuration.epochs else {
            throw sample.error("there are \(texts.count) texts, not \(size * self.configuration.epochs)")
        }
        do throws(TaskError) {
            return try stride(from: 0, to: texts.count, by: size).map { start throws(TaskError) in
                try self.filters.map { filter throws(TaskError) in
                    try filter.apply(Array(texts[start..<(start + size)]), sample.document)
                }
            }
        } catch {
            throw sample.error("a filter failed: \(error.message)")
        }
    }

    /// One value for each column of a filter.
    private func values(
        _ sample: PreparedSample, _ answers: [CompiledPipeline.Answer], filter: Int, _ verdicts: [ProgramVerdict],
        _ result: SampleResult
    ) throws(TaskError) -> [MetricValue] {
        var given = NativeAnswers(choices: result.choices)
        given.texts = answers.map(\.text)
        let native = try self.nativeResults(sample, given)
        return try self.normalizers.enumerated().map { metric, normalizer throws(TaskError) in
            let column = self.metrics[filter * self.normalizers.count + metric]
            if let health = result.health(column.metric, of: answers) { return health.value(of: column) }
            if let native { return try self.value(of: column, in: native, sample) }
            if self.configuration.runsCode {
                return try self.value(of: column, sample) { () throws(PatternError) in
                    TextComparison.value(column.metric, of: verdicts)
                }
            }
            let comparison = TextComparison(
                texts: given.texts,
                // Of metrics that lm-eval does not have, an answer is one among several texts.
                references: sample.targets.comparable(
                    with: answers.first?.kind ?? .text,
                    inList: self.filters[filter].leavesList && column.metric == .exactMatch),
                normalizer: normalizer)
            return try self.value(of: column, sample) { () throws(PatternError) in
                try comparison.value(column.metric)
                    ?? self.translation(column.metric, comparison.texts.first ?? "", sample.references)
            }
        }
    }

    private func value(
        of column: MetricDefinition, _ sample: PreparedSample, _ compute: () throws(PatternError) -> ScoredMetric?
    ) throws(TaskError) -> MetricValue {
        let value: ScoredMetric?
        do throws(PatternError) {
            value = try compute()
        } catch {
            throw sample.error("the metric \(column.name) failed: \(error.message)")
        }
        guard let value else {
            throw sample.error(
                "the metric \(column.name) can't be computed: the text is too long for it, or a filter left too few texts"
            )
        }
        return value.value(of: column)
    }
}

extension MetricValue {
    /// The means over epochs of values, weights and terms, with the values that they are of.
    fileprivate static func means(of epochs: [[MetricValue]]) -> [MetricValue] {
        guard var means = epochs.first, epochs.count > 1 else { return epochs.first ?? [] }
        let count = Double(epochs.count)
        for index in means.indices {
            let values = epochs.map { $0[index] }
            means[index].value = values.reduce(0) { $0 + $1.value } / count
            means[index].epochs = values.map(\.value)
            means[index].weight = values.reduce(0) { $0 + $1.weight } / count
            for term in means[index].terms.indices {
                means[index].terms[term] = values.reduce(0) { $0 + $1.terms[term] } / count
            }
        }
        return means
    }
}
