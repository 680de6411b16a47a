extension EvaluationTask {
    /// What the task's process_results gives for a sample; `nil` if it has none.
    func nativeResults(_ sample: PreparedSample, _ given: NativeAnswers) throws(TaskError) -> [NativeResult]? {
        guard let function = self.configuration.processResults else { return nil }
        guard let compute = NativeFunction.results[function.name] else {
            throw sample.error("process_results: \(function.name) computes no metrics")
        }
        do throws(TaskError) {
            return try compute(sample.document, given)
        } catch {
            throw sample.error(error.message)
        }
    }

    /// Refuses a row that process_results can't score, whatever is answered.
    public func checkScoring(of sample: PreparedSample) throws(TaskError) {
        var answers = NativeAnswers(texts: [""])
        for case .loglikelihood in sample.requests { answers.scores.append((logProb: -1, isGreedy: false)) }
        for case .rolling in sample.requests { answers.scores.append((logProb: -1, isGreedy: false)) }
        _ = try self.nativeResults(sample, answers)
    }

    func value(
        of column: MetricDefinition, in results: [NativeResult], _ sample: PreparedSample
    ) throws(TaskError) -> MetricValue {
        guard let result = results.first(where: { $0.name == column.metric.name }) else {
            let names = results.map(\.name).joined(separator: ", ")
            throw sample.error("the task's process_results gives no metric \(column.metric.name), only \(names)")
        }
        return ScoredMetric(result.value, weight: result.weight, terms: result.terms).value(of: column)
    }
}

extension NativeAnswers {
    init(choices: [ChoiceResult]) {
        self.scores = choices.map { (logProb: $0.logProb, isGreedy: $0.isGreedy) }
    }
}
