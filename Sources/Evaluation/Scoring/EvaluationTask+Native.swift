extension EvaluationTask {
    /// What the task's process_results gives for a sample; `nil` if it has none.
    func nativeResults(
        _ sample: PreparedSample, _ answers: Answers, _ given: NativeAnswers
    ) throws(TaskError) -> [NativeResult]? {
        guard let function = self.configuration.processResults else { return nil }
        guard let compute = NativeFunction.results[function.name] else {
            throw answers.error("process_results: \(function.name) computes no metrics")
        }
        do throws(TaskError) {
            return try compute(sample.document, given)
        } catch {
            throw answers.error(error.message)
        }
    }

    /// One value for each column, of a task without filters.
    func nativeValues(
        _ sample: PreparedSample, _ answers: Answers, _ given: NativeAnswers
    ) throws(TaskError) -> [MetricValue]? {
        guard let results = try self.nativeResults(sample, answers, given) else { return nil }
        return try self.metrics.map { column throws(TaskError) in try self.value(of: column, in: results, answers) }
    }

    func value(
        of column: MetricDefinition, in results: [NativeResult], _ answers: Answers
    ) throws(TaskError) -> MetricValue {
        guard let result = results.first(where: { $0.name == column.metric.name }) else {
            let names = results.map(\.name).joined(separator: ", ")
            throw answers.error("the task's process_results gives no metric \(column.metric.name), only \(names)")
        }
        return ScoredMetric(result.value, weight: result.weight).value(of: column)
    }
}

extension NativeAnswers {
    init(choices: [ChoiceResult]) {
        self.scores = choices.map { (logProb: $0.logProb, isGreedy: $0.isGreedy) }
    }
}
