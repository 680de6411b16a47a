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
