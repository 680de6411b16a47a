internal import PythonCompat

extension EvaluationTask {
    /// Scores a sample.
    ///
    /// - Parameters:
    ///   - requests: For each of the sample's requests what `Request.tokenized` gave.
    ///   - responses: The engine's answers to them, in the same places.
    ///   - logitsMode: What the result keeps besides scores and text.
    ///   - verdicts: The outcomes of the sample's `programs`, if the task runs code.
    /// - Throws: `TaskError` if the answers don't belong to the requests or aren't numbers.
    public func score(
        _ sample: PreparedSample, requests: [[EngineRequest]], responses: [[EngineResponse]], logitsMode: LogitsMode,
        verdicts: [ProgramVerdict] = []
    ) throws(TaskError) -> SampleResult {
        let answers = try Answers(sample, requests, responses)
        var result = SampleResult(
            sampleID: sample.sampleID, row: sample.row, target: sample.target, cluster: sample.cluster, prediction: "",
            metrics: [], promptTokens: answers.promptTokens, generatedTokens: answers.generatedTokens,
            isTruncated: answers.isTruncated, prompt: sample.prompt)
        var unconditional: [Double]?
        switch self.configuration.outputType {
        case .multipleChoice:
            for (index, text) in sample.choices.enumerated() {
                result.choices.append(ChoiceResult(text: text, try answers.continuation(of: index)))
            }
            if self.needsUnconditional {
                unconditional = try sample.choices.indices.map { index throws(TaskError) in
                    try answers.continuation(of: sample.choices.count + index).logProb
                }
            }
        case .loglikelihood:
            result.choices = [ChoiceResult(text: sample.target, try answers.continuation(of: 0))]
        case .loglikelihoodRolling:
            let windows = try answers.windows()
            let scored = ScoredContinuation(
                tokenLogProbs: windows.flatMap(\.tokenLogProbs), isGreedy: windows.allSatisfy(\.isGreedy))
            var choice = ChoiceResult(text: "", scored, length: sample.target)
            choice.logProb = windows.reduce(0) { $0 + $1.logProb }
            result.choices = [choice]
        case .generateUntil:
            let generations = try answers.generations()
            result.generation = generations[0].text
            result.finishReason = generations[0].finishReason
            if generations.count > 1 { result.generations = generations.map(GenerationResult.init) }
            if let continuation = self.continuation {
                result.choices = [ChoiceResult(text: continuation, try answers.continuation(of: generations.count))]
            }
        }
        try self.evaluate(sample, unconditional: unconditional, verdicts: verdicts, &result)
        if logitsMode == .none { result.choices = [] }
        if logitsMode == .tokens { result.tokens = answers.tokens }
        return result
    }

    /// Fills in prediction and metrics, from the choices or texts in `result`.
    func evaluate(
        _ sample: PreparedSample, unconditional: [Double]?, verdicts: [ProgramVerdict] = [],
        _ result: inout SampleResult
    ) throws(TaskError) {
        switch self.configuration.outputType {
        case .multipleChoice:
            guard !sample.golds.isEmpty, sample.golds.allSatisfy(sample.choices.indices.contains),
                result.choices.count == sample.choices.count
            else { throw sample.error("the sample has no right choice, or not an answer to each") }
            let scores = ChoiceScores(result.choices, unconditional: unconditional, golds: sample.golds)
            result.prediction = String(scores.best)
            result.metrics = try self.values(sample, result, scores.value)
        case .loglikelihood:
            let choice = try sample.only(result.choices)
            result.metrics = try self.values(sample, result) { metric in
                switch metric {
                case .perplexity: ScoredMetric(choice.logProb)
                case .acc: ScoredMetric(choice.isGreedy)
                default: nil
                }
            }
        case .loglikelihoodRolling:
            let choice = try sample.only(result.choices)
            let bytes = Double(sample.target.utf8.count)
            let words = Double(PythonText.wordCount(sample.target))
            result.metrics = try self.values(sample, result) { metric in
                switch metric {
                case .wordPerplexity: ScoredMetric(choice.logProb, weight: words)
                case .bytePerplexity, .bitsPerByte: ScoredMetric(choice.logProb, weight: bytes)
                default: nil
                }
            }
        case .generateUntil: try self.evaluateTexts(sample, verdicts, &result)
        }
    }

    /// One value for each column: what the task's process_results gives, if it has one.
    private func values(
        _ sample: PreparedSample, _ result: SampleResult, _ value: (Metric) -> ScoredMetric?
    ) throws(TaskError) -> [MetricValue] {
        let native = try self.nativeResults(sample, NativeAnswers(choices: result.choices))
        return try self.metrics.map { column throws(TaskError) in
            if let health = result.health(column.metric) { return health.value(of: column) }
            if let native { return try self.value(of: column, in: native, sample) }
            guard let value = value(column.metric) else {
                throw sample.error("the metric \(column.name) can't be computed for this task")
            }
            return value.value(of: column)
        }
    }
}

extension PreparedSample {
    func error(_ message: String) -> TaskError {
        TaskError(.invalidResponse, "sample \(self.sampleID) (row \(self.row)): \(message)")
    }

    fileprivate func only(_ choices: [ChoiceResult]) throws(TaskError) -> ChoiceResult {
        guard choices.count == 1 else { throw self.error("there is not one score but \(choices.count)") }
        return choices[0]
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
