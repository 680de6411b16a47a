/// What an engine answers.
public enum EngineResponse: Sendable, Hashable {
    case score(ScoredContinuation)
    case generation(Generation)
}

/// The log-probabilities of the scored tokens of one `ScoringRequest`.
public struct ScoredContinuation: Sendable, Hashable {
    /// One per scored token, in nat, in order.
    public var tokenLogProbs: [Float]
    /// Whether every scored token was the most likely one; ties go to the smaller token id.
    public var isGreedy: Bool

    public init(tokenLogProbs: [Float], isGreedy: Bool) {
        self.tokenLogProbs = tokenLogProbs
        self.isGreedy = isGreedy
    }

    /// The sum of the log-probabilities in nat, added in order in double precision.
    public var logProb: Double { self.tokenLogProbs.reduce(0) { $0 + Double($1) } }
}

/// Why a generation ended.
public enum FinishReason: String, Sendable, Hashable, CaseIterable, Codable {
    /// A stop string was found.
    case stop
    /// The model ended its text.
    case endOfText = "eos"
    /// The limit of new tokens was reached.
    case length
}

/// The continuation of one `GenerationRequest`.
public struct Generation: Sendable, Hashable {
    /// Every token generated, those of the stop string included, without the end-of-text token.
    public var tokens: [Int32]
    /// One per token, in nat; the model's own, without temperature, where tokens were drawn.
    public var tokenLogProbs: [Float]
    /// The text, cut before the stop string; invalid UTF-8 is replaced by U+FFFD.
    public var text: String
    public var finishReason: FinishReason

    public init(tokens: [Int32], tokenLogProbs: [Float], text: String, finishReason: FinishReason) {
        self.tokens = tokens
        self.tokenLogProbs = tokenLogProbs
        self.text = text
        self.finishReason = finishReason
    }
}
