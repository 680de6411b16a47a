internal import Evaluation

/// Refuses requests that can't be answered, before anything is computed.
struct RequestCheck {
    let maxLength: Int
    let vocabularySize: Int

    func check(_ requests: [EngineRequest]) throws(EngineError) {
        for (index, request) in requests.enumerated() {
            switch request {
            case .score(let request): try self.check(request, index: index)
            case .generate(let request): try self.check(request, index: index)
            }
        }
    }

    private func check(_ request: ScoringRequest, index: Int) throws(EngineError) {
        guard request.tokens.count >= 2, (1..<request.tokens.count).contains(request.scoredFrom) else {
            throw EngineError(
                .invalidRequest,
                "\(request.tokens.count) tokens scored from \(request.scoredFrom); at least one token of context and one to "
                    + "score are needed", requestIndex: index)
        }
        try self.check(request.tokens, length: request.tokens.count - 1, index: index)
    }

    private func check(_ request: GenerationRequest, index: Int) throws(EngineError) {
        guard !request.prompt.isEmpty, request.maxTokens >= 1 else {
            throw EngineError(
                .invalidRequest,
                "a prompt of \(request.prompt.count) tokens and \(request.maxTokens) new ones; at least one of each is needed",
                requestIndex: index)
        }
        if let rule = request.sampling?.rule {
            guard rule.temperature > 0, rule.temperature.isFinite, (rule.topK ?? 1) >= 1, (0...1).contains(rule.minP),
                rule.topP > 0, rule.topP <= 1
            else {
                throw EngineError(
                    .invalidRequest,
                    "sampling needs a temperature above 0, top_k of at least 1, top_p above 0 and at most 1, and min_p "
                        + "from 0 to 1", requestIndex: index)
            }
        }
        let length = request.prompt.count.addingReportingOverflow(request.maxTokens)
        try self.check(request.prompt, length: length.overflow ? Int.max : length.partialValue, index: index)
    }

    private func check(_ tokens: [Int32], length: Int, index: Int) throws(EngineError) {
        guard length <= self.maxLength else {
            throw EngineError(
                .requestTooLong,
                "needs \(length) tokens, but the engine takes \(self.maxLength); raise max_length or truncate the prompt",
                requestIndex: index)
        }
        let known = 0..<Int32(clamping: self.vocabularySize)
        if let stray = tokens.first(where: { !known.contains($0) }) {
            throw EngineError(
                .invalidRequest, "token \(stray) is not in the vocabulary of \(self.vocabularySize)",
                requestIndex: index)
        }
    }
}
