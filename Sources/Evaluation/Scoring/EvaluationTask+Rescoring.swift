internal import PythonCompat

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
            throw sample.error("programs are not run anew; run the task again")
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
