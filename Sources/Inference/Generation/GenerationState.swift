internal import Evaluation
internal import Llama

/// One text that is being generated.
struct GenerationState: Sendable {
    let request: GenerationRequest
    private var tokens: [Int32] = []
    private var tokenLogProbs: [Float] = []
    private var scanner: StopScanner

    init(_ request: GenerationRequest) {
        self.request = request
        self.scanner = StopScanner(stops: request.stop)
    }

    /// What there is of the text.
    var text: String { self.scanner.text }

    /// The token to feed next; `nil` before the first one.
    var lastToken: Int32? { self.tokens.last }

    /// The position of `lastToken`.
    var lastPosition: Int { self.request.prompt.count + self.tokens.count - 1 }

    /// How the next token is drawn; `nil` if the most likely one is taken.
    var nextDraw: (rule: DrawingRule, unit: Double)? {
        guard let sampling = self.request.sampling else { return nil }
        let rule = DrawingRule(
            temperature: sampling.rule.temperature, topK: sampling.rule.topK, topP: sampling.rule.topP,
            minP: sampling.rule.minP)
        return (rule, sampling.stream.unit(at: self.tokens.count))
    }

    /// Takes the next token.
    ///
    /// - Parameter piece: the token's bytes; `nil` if the token ends the text.
    /// - Returns: the whole text, if it has ended.
    mutating func append(_ token: Int32, logProb: Float, piece: [UInt8]?) -> Generation? {
        guard let piece else { return self.finished(.endOfText) }
        self.tokens.append(token)
        self.tokenLogProbs.append(logProb)
        if self.scanner.append(piece) { return self.finished(.stop) }
        return self.tokens.count >= self.request.maxTokens ? self.finished(.length) : nil
    }

    private func finished(_ reason: FinishReason) -> Generation {
        Generation(
            tokens: self.tokens, tokenLogProbs: self.tokenLogProbs, text: self.scanner.text, finishReason: reason)
    }
}
