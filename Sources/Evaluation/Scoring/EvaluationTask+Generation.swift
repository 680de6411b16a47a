extension EvaluationTask {
    /// Fills in prediction and metrics, from the texts in `result`.
    func evaluateTexts(_ sample: PreparedSample, _ result: inout SampleResult) throws(TaskError) {
        let texts = result.generations.isEmpty ? [result.generation] : result.generations.map(\.text)
        let predictions: [[CompiledPipeline.Answer]]
        do throws(TaskError) {
            predictions = try self.filters.map { filter throws(TaskError) in try filter.apply(texts, sample.document) }
        } catch {
            throw sample.error("a filter failed: \(error.message)")
        }
        let firsts = predictions.compactMap(\.first)
        let shown = firsts.first { !$0.fellBack } ?? firsts.first
        result.prediction = shown?.text ?? ""
        result.isUnparsed = firsts.contains { $0.fellBack }
        for (filter, answers) in predictions.enumerated() {
            let native = try self.nativeResults(sample, NativeAnswers(texts: answers.map(\.text)))
            for (metric, normalizer) in self.normalizers.enumerated() {
                let column = self.metrics[filter * self.normalizers.count + metric]
                if let native {
                    result.metrics.append(try self.value(of: column, in: native, sample))
                } else {
                    result.metrics.append(try self.value(of: column, answers, sample, normalizer))
                }
            }
        }
    }

    private func value(
        of column: MetricDefinition, _ answers: [CompiledPipeline.Answer], _ sample: PreparedSample,
        _ normalizer: ExactMatch
    ) throws(TaskError) -> MetricValue {
        let comparison = TextComparison(
            texts: answers.map(\.text), references: sample.references, normalizer: normalizer)
        let value: ScoredMetric?
        do throws(PatternError) {
            value =
                try comparison.value(column.metric)
                ?? self.translation(column.metric, comparison.texts.first ?? "", sample.references)
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

/// A row's filtered texts beside what is right.
struct TextComparison {
    let texts: [String]
    let references: [String]
    let normalizer: ExactMatch

    /// A metric that compares texts; `nil` for another one, or with too few texts.
    func value(_ metric: Metric) throws(PatternError) -> ScoredMetric? {
        guard !self.texts.isEmpty else { return nil }
        switch metric {
        case .exactMatch:
            return ScoredMetric(Double(try self.rightTexts) / Double(self.texts.count))
        case .pass(let count):
            return Self.passAt(count, of: self.texts.count, right: try self.rightTexts).map { ScoredMetric($0) }
        case .majority(let count):
            guard count <= self.texts.count else { return nil }
            return ScoredMetric(try self.isRight(Self.mostFrequent(self.texts.prefix(count))))
        default: return nil
        }
    }

    /// 1 - C(n - c, k) / C(n, k); `nil` if there are fewer texts than k.
    static func passAt(_ count: Int, of total: Int, right: Int) -> Double? {
        guard count >= 1, count <= total else { return nil }
        guard total - right >= count else { return 1 }
        var failure = 1.0
        for number in stride(from: total - right + 1, through: total, by: 1) {
            failure *= 1 - Double(count) / Double(number)
        }
        return 1 - failure
    }

    private var rightTexts: Int {
        get throws(PatternError) {
            var right = 0
            for text in self.texts where try self.isRight(text) { right += 1 }
            return right
        }
    }

    private func isRight(_ text: String) throws(PatternError) -> Bool {
        for reference in self.references where try self.normalizer.matches(text, reference) { return true }
        return false
    }

    /// Of equally frequent texts the first.
    private static func mostFrequent(_ texts: ArraySlice<String>) -> String {
        var counts: [[UInt8]: Int] = [:]
        for text in texts { counts[Array(text.utf8), default: 0] += 1 }
        let most = counts.values.max() ?? 0
        return texts.first { counts[Array($0.utf8)] == most } ?? ""
    }
}
