public import Evaluation
internal import PythonCompat
internal import ScoreMetrics

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
        let native = try self.nativeResults(sample, BuiltinAnswers(choices: result.choices))
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
        var given = BuiltinAnswers(choices: result.choices)
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

extension EvaluationTask {
    /// What the task's process_results gives for a sample; `nil` if it has none.
    func nativeResults(_ sample: PreparedSample, _ given: BuiltinAnswers) throws(TaskError) -> [BuiltinResult]? {
        guard let function = self.configuration.processResults else { return nil }
        guard let compute = BuiltinFunction.results[function.name] else {
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
        var answers = BuiltinAnswers(texts: [""])
        for case .loglikelihood in sample.requests { answers.scores.append((logProb: -1, isGreedy: false)) }
        for case .rolling in sample.requests { answers.scores.append((logProb: -1, isGreedy: false)) }
        _ = try self.nativeResults(sample, answers)
    }

    func value(
        of column: MetricDefinition, in results: [BuiltinResult], _ sample: PreparedSample
    ) throws(TaskError) -> MetricValue {
        guard let result = results.first(where: { $0.name == column.metric.name }) else {
            let names = results.map(\.name).joined(separator: ", ")
            throw sample.error("the task's process_results gives no metric \(column.metric.name), only \(names)")
        }
        return ScoredMetric(result.value, weight: result.weight, terms: result.terms).value(of: column)
    }
}

extension BuiltinAnswers {
    init(choices: [ChoiceResult]) {
        self.scores = choices.map { (logProb: $0.logProb, isGreedy: $0.isGreedy) }
    }
}

extension EvaluationTask {
    /// Scores a sample anew from what a result file keeps of it.
    ///
    /// - Parameters:
    ///   - sample: The row as this task prepares it.
    ///   - stored: What was kept of a task that asks the same.
    /// - Throws: `TaskError` if too little was kept.
    public func rescore(_ sample: PreparedSample, _ stored: SampleResult) throws(TaskError) -> SampleResult {
        guard sample.row == stored.row, PythonText.equal(sample.sampleID, stored.sampleID),
            PythonText.equal(sample.prompt, stored.prompt)
        else { throw sample.error("the stored result is of another row or prompt (sample \(stored.sampleID))") }
        guard self.configuration.outputType == .generateUntil || !stored.choices.isEmpty else {
            throw sample.error(
                "the run kept no log-probabilities (logits: none), so there is nothing to score; run it again with logits: "
                    + "choices")
        }
        guard !self.needsUnconditional else {
            throw sample.error(
                "acc_mutual_info needs log-likelihoods without a context, which are not kept; run it again")
        }
        guard !self.configuration.runsCode else {
            throw sample.error("programs are not run again for other scores; run the task itself")
        }
        var result = stored
        result.target = sample.target
        result.cluster = sample.cluster
        result.isUnparsed = false
        result.metrics = []
        try self.evaluate(sample, unconditional: nil, &result)
        return result
    }
}

extension PreparedSample {
    /// Whether the model would be asked the same, so that its answers serve both.
    public func asksTheSame(as other: PreparedSample) -> Bool {
        self.row == other.row && self.requests == other.requests && self.choices == other.choices
    }
}

/// The outcome of a program that a model wrote.
public enum ProgramVerdict: Sendable, Hashable {
    /// It ended by itself, without an error.
    case passed
    /// In a word or line: what it ended with, or the limit it ran into.
    case failed(String)

    var isPassed: Bool { self == .passed }

    /// A line.
    var summary: String {
        switch self {
        case .passed: "passed"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}

/// What one sample contributes to a metric.
struct ScoredMetric {
    var value: Double
    var weight = 1.0
    /// As `Aggregation.terms` names them.
    var terms: [Double] = []

    init(_ value: Double, weight: Double = 1, terms: [Double] = []) {
        self.value = value
        self.weight = weight
        self.terms = terms
    }

    init(_ isRight: Bool) { self.init(isRight ? 1 : 0) }

    func value(of column: MetricDefinition) -> MetricValue {
        MetricValue(
            name: column.name, value: self.value, weight: self.weight, terms: self.terms,
            termNames: column.aggregation.terms)
    }
}

extension SampleResult {
    /// A health metric of the sample; `nil` for another metric.
    ///
    /// - Parameter answers: What a filter left of the texts.
    func health(_ metric: Metric, of answers: [CompiledPipeline.Answer] = []) -> ScoredMetric? {
        switch metric {
        case .unparsed: Self.part(answers.map(\.fellBack))
        case .truncated: ScoredMetric(self.isTruncated)
        case .hitMaxTokens: Self.part(self.finishReasons.map { $0 == .length })
        default: nil
        }
    }

    /// Why each text ended.
    private var finishReasons: [FinishReason] {
        self.generations.isEmpty ? self.finishReason.map { [$0] } ?? [] : self.generations.map(\.finishReason)
    }

    private static func part(_ flags: [Bool]) -> ScoredMetric {
        ScoredMetric(flags.isEmpty ? 0 : Double(flags.count { $0 }) / Double(flags.count))
    }
}

extension EvaluationTask {
    /// A translation metric of one sample: the score of the sample alone, and what the task's is made from.
    ///
    /// - Returns: `nil` for another metric, or for a text that is too long for it.
    func translation(_ metric: Metric, _ text: String, _ references: [String]) -> ScoredMetric? {
        func scored(_ statistics: some TranslationStatistics) -> ScoredMetric {
            ScoredMetric(statistics.score, terms: statistics.values)
        }
        switch metric {
        case .bleu: return scored(BLEU.statistics(hypothesis: text, references: references))
        case .chrF: return scored(CharacterF.chrF.statistics(hypothesis: text, references: references))
        case .chrFPlusPlus:
            return scored(CharacterF.chrFPlusPlus.statistics(hypothesis: text, references: references))
        case .translationEditRate:
            return TranslationEditRate.statistics(hypothesis: text, references: references).map(scored)
        default: return nil
        }
    }
}
