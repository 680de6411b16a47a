extension EvaluationTask {
    /// Scores a sample.
    ///
    /// - Parameters:
    ///   - requests: For each of the sample's requests what `Request.tokenized` gave.
    ///   - responses: The engine's answers to them, in the same places.
    ///   - logitsMode: What the result keeps besides scores and text.
    /// - Throws: `TaskError` if the answers don't belong to the requests or aren't numbers.
    public func score(
        _ sample: PreparedSample, requests: [[EngineRequest]], responses: [[EngineResponse]], logitsMode: LogitsMode
    ) throws(TaskError) -> SampleResult {
        let answers = try Answers(sample, requests, responses)
        var result = SampleResult(
            sampleID: sample.sampleID, row: sample.row, target: sample.target, prediction: "", metrics: [],
            promptTokens: answers.promptTokens, generatedTokens: answers.generatedTokens,
            isTruncated: answers.isTruncated, prompt: sample.prompt)
        switch self.configuration.outputType {
        case .multipleChoice: try self.scoreChoices(sample, answers, &result)
        case .loglikelihood: try self.scoreContinuation(sample, answers, &result)
        case .loglikelihoodRolling: try self.scoreText(sample, answers, &result)
        case .generateUntil: try self.scoreGeneration(sample, answers, &result)
        }
        if logitsMode == .none { result.choices = [] }
        if logitsMode == .tokens { result.tokens = answers.tokens }
        return result
    }

    private func scoreChoices(
        _ sample: PreparedSample, _ answers: Answers, _ result: inout SampleResult
    ) throws(TaskError) {
        guard !sample.golds.isEmpty, sample.golds.allSatisfy(sample.choices.indices.contains) else {
            throw answers.error("the sample has no right choice")
        }
        for (index, text) in sample.choices.enumerated() {
            result.choices.append(ChoiceResult(text: text, try answers.continuation(of: index)))
        }
        let unconditional: [Double]? =
            self.needsUnconditional
            ? try sample.choices.indices.map { index throws(TaskError) in
                try answers.continuation(of: sample.choices.count + index).logProb
            } : nil
        let scores = ChoiceScores(result.choices, unconditional: unconditional, golds: sample.golds)
        result.prediction = String(scores.best)
        if let values = try self.nativeValues(sample, answers, NativeAnswers(choices: result.choices)) {
            result.metrics = values
        } else {
            result.metrics = try self.values(answers, scores.value)
        }
    }

    private func scoreContinuation(
        _ sample: PreparedSample, _ answers: Answers, _ result: inout SampleResult
    ) throws(TaskError) {
        let choice = ChoiceResult(text: sample.target, try answers.continuation(of: 0))
        result.choices = [choice]
        if let values = try self.nativeValues(sample, answers, NativeAnswers(choices: result.choices)) {
            result.metrics = values
            return
        }
        result.metrics = try self.values(answers) { metric in
            switch metric {
            case .perplexity: ScoredMetric(choice.logProb)
            case .acc: ScoredMetric(choice.isGreedy)
            default: nil
            }
        }
    }

    private func scoreText(
        _ sample: PreparedSample, _ answers: Answers, _ result: inout SampleResult
    ) throws(TaskError) {
        let windows = try answers.windows()
        let sum = windows.reduce(0) { $0 + $1.logProb }
        let scored = ScoredContinuation(
            tokenLogProbs: windows.flatMap(\.tokenLogProbs), isGreedy: windows.allSatisfy(\.isGreedy))
        result.choices = [ChoiceResult(text: "", scored, length: sample.target)]
        if let values = try self.nativeValues(sample, answers, NativeAnswers(choices: result.choices)) {
            result.metrics = values
            return
        }
        let bytes = Double(sample.target.utf8.count)
        let words = Double(PythonText.wordCount(sample.target))
        result.metrics = try self.values(answers) { metric in
            switch metric {
            case .wordPerplexity: ScoredMetric(sum, weight: words)
            case .bytePerplexity, .bitsPerByte: ScoredMetric(sum, weight: bytes)
            default: nil
            }
        }
    }

    /// One value for each column.
    private func values(
        _ answers: Answers, _ value: (Metric) -> ScoredMetric?
    ) throws(TaskError) -> [MetricValue] {
        var values: [MetricValue] = []
        for column in self.metrics {
            guard let value = value(column.metric) else {
                throw answers.error("the metric \(column.name) can't be computed for this task")
            }
            values.append(value.value(of: column))
        }
        return values
    }
}

extension ChoiceResult {
    /// `length` is the text that is measured if that is not `text`.
    fileprivate init(text: String, _ scored: ScoredContinuation, length: String? = nil) {
        let measured = length ?? text
        self.init(
            text: text, logProb: scored.logProb, tokenCount: scored.tokenLogProbs.count,
            byteCount: measured.utf8.count, characterCount: measured.unicodeScalars.count, isGreedy: scored.isGreedy)
    }
}
