internal import Crypto

extension EvaluationTask {
    /// The sha256 of all that a model would be asked for some rows, 64 hexadecimal digits: equal hashes, equal prompts.
    public func promptHash(
        of dataSet: DataSet, rows: Range<Int>, style: PromptStyle = .plain
    ) throws(TaskError) -> String {
        var hasher = SHA256()
        for row in rows {
            for request in try self.prepare(try dataSet.document(at: row), style: style).requests {
                for text in request.hashedTexts {
                    // Lengths keep texts apart.
                    hasher.update(data: Array("\(text.utf8.count) ".utf8))
                    hasher.update(data: Array(text.utf8))
                }
            }
        }
        return hasher.finalize().hexadecimal
    }
}

extension Request {
    /// All that decides the answer.
    fileprivate var hashedTexts: [String] {
        switch self {
        case .loglikelihood(let context, let continuation): return ["loglikelihood", context, continuation]
        case .rolling(let text): return ["rolling", text]
        case .generate(let prompt, let stop, let maxTokens, let sampling, let constraint):
            let drawing = sampling.map { sampling in
                let rule = sampling.rule
                return
                    "\(rule.temperature) \(rule.topK ?? 0) \(rule.topP) \(rule.minP) \(sampling.stream.seed) "
                    + "\(sampling.stream.row) \(sampling.stream.repeat)"
            }
            return ["generate", prompt, String(maxTokens), drawing ?? "greedy"] + stop
                + (constraint.map { [$0.key, $0.text] } ?? [])
        }
    }
}
