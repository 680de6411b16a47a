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
