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
        guard let gold = sample.goldIndex, sample.choices.indices.contains(gold) else {
            throw answers.error("the sample has no right choice")
        }
        for (index, text) in sample.choices.enumerated() {
            result.choices.append(ChoiceResult(text: text, try answers.continuation(of: index)))
        }
        let best = Self.firstMaximum(result.choices.map(\.logProb))
        let normalized = result.choices.map { $0.logProb / Double($0.characterCount) }
        result.prediction = String(best)
        result.metrics = try self.values(answers) { metric in
            switch metric {
            case .acc: best == gold ? 1 : 0
            case .accNorm: Self.firstMaximum(normalized) == gold ? 1 : 0
            case .exactMatch: result.choices[gold].isGreedy ? 1 : 0
            default: nil
            }
        }
    }

    private func scoreContinuation(
        _ sample: PreparedSample, _ answers: Answers, _ result: inout SampleResult
    ) throws(TaskError) {
        let choice = ChoiceResult(text: sample.target, try answers.continuation(of: 0))
        result.choices = [choice]
        result.metrics = try self.values(answers) { metric in
            switch metric {
            case .perplexity: choice.logProb
            case .acc: choice.isGreedy ? 1 : 0
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
        let bytes = Double(sample.target.utf8.count)
        let words = Double(PythonText.wordCount(sample.target))
        result.metrics = try self.values(answers) { metric in
            [.wordPerplexity, .bytePerplexity, .bitsPerByte].contains(metric) ? sum : nil
        }
        for (index, column) in self.metrics.enumerated() {
            result.metrics[index].weight = column.metric == .wordPerplexity ? words : bytes
        }
    }

    private func scoreGeneration(
        _ sample: PreparedSample, _ answers: Answers, _ result: inout SampleResult
    ) throws(TaskError) {
        let generation = try answers.generation()
        result.generation = generation.text
        result.finishReason = generation.finishReason
        do throws(PatternError) {
            var predictions: [(text: String, fellBack: Bool)] = []
            for filter in self.filters { predictions.append(try filter.apply(generation.text)) }
            let shown = predictions.first { !$0.fellBack } ?? predictions.first
            result.prediction = shown?.text ?? ""
            result.isUnparsed = predictions.contains { $0.fellBack }
            for (index, column) in self.metrics.enumerated() {
                let (filter, metric) = index.quotientAndRemainder(dividingBy: self.normalizers.count)
                let isRight = try self.normalizers[metric].matches(predictions[filter].text, sample.target)
                result.metrics.append(MetricValue(name: column.name, value: isRight ? 1 : 0))
            }
        } catch {
            throw answers.error("scoring failed: \(error.message)")
        }
    }

    /// One value for each column.
    private func values(
        _ answers: Answers, _ value: (Metric) -> Double?
    ) throws(TaskError) -> [MetricValue] {
        var values: [MetricValue] = []
        for column in self.metrics {
            guard let number = value(column.metric) else {
                throw answers.error("the metric \(column.name) can't be computed for this task")
            }
            values.append(MetricValue(name: column.name, value: number))
        }
        return values
    }

    private static func firstMaximum(_ values: [Double]) -> Int {
        var best = 0
        for (index, value) in values.enumerated() where value > values[best] { best = index }
        return best
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
