internal import PythonCompat

/// What a task asks of a model for one sample, in text.
public enum Request: Sendable, Hashable {
    /// The log-likelihood of `continuation` after `context`.
    case loglikelihood(context: String, continuation: String)
    /// The log-likelihood of a whole text, in windows of the model's length.
    case rolling(text: String)
    /// Text after `prompt`, up to a stop string, the end of text or `maxTokens` tokens; greedy unless tokens are drawn.
    case generate(
        prompt: String, stop: [String], maxTokens: Int, sampling: SampledText? = nil,
        constraint: TextConstraint? = nil)
}

/// What an engine is asked, in token ids.
public enum EngineRequest: Sendable, Hashable {
    case score(ScoringRequest)
    case generate(GenerationRequest)

    /// How many tokens were cut off on the left because the model's length did not suffice.
    public var truncated: Int {
        switch self {
        case .score(let request): request.truncated
        case .generate(let request): request.truncated
        }
    }
}

/// A sequence whose tail is to be scored.
public struct ScoringRequest: Sendable, Hashable {
    /// Context followed by continuation, at least two tokens; the last one is predicted but never fed.
    public var tokens: [Int32]
    /// The index in `tokens` of the first token to score; at least 1.
    public var scoredFrom: Int
    /// How many tokens were cut off on the left because the model's length did not suffice.
    public var truncated: Int

    public init(tokens: [Int32], scoredFrom: Int, truncated: Int = 0) {
        self.tokens = tokens
        self.scoredFrom = scoredFrom
        self.truncated = truncated
    }
}

/// How a text's tokens are drawn, and with which random numbers.
public struct SampledText: Sendable, Hashable {
    public var rule: Sampling
    public var stream: RandomStream

    /// - Parameters:
    ///   - task: The number of the task's random numbers, see `RandomStream`.
    ///   - number: Which of the texts for the row it is, from 0.
    public init(_ rule: Sampling, task: UInt32, row: Int, repeat number: Int) {
        self.rule = rule
        self.stream = RandomStream(seed: rule.seed, task: task, row: row, repeat: number)
    }
}

/// What ends a model's thoughts: its answer follows the last one.
public enum ThinkingEnd: Sendable, Hashable {
    case text(String)
    case token(Int32)

    /// An answer without the white space that stands between it and the thoughts; Python's `str.lstrip`.
    public static func trimmed(_ answer: String) -> String {
        String(answer.unicodeScalars.drop { PythonText.isSpace($0) })
    }
}

/// A prompt to be continued.
public struct GenerationRequest: Sendable, Hashable {
    public var prompt: [Int32]
    /// The text ends before the first occurrence of any of these, which may be special tokens.
    public var stop: [String]
    /// At most this many new tokens; at least 1.
    public var maxTokens: Int
    /// `nil` for the most likely tokens.
    public var sampling: SampledText?
    /// What the text must look like; `nil` for anything.
    public var constraint: TextConstraint?
    /// How many prompt tokens were cut off on the left because the model's length did not suffice.
    public var truncated: Int
    /// The tokens that end the text; `nil` for those of the model's vocabulary.
    public var endTokens: [Int32]?
    /// Where the answer begins; `nil` for all of the text.
    public var thinkingEnd: ThinkingEnd?

    public init(
        prompt: [Int32], stop: [String], maxTokens: Int, sampling: SampledText? = nil,
        constraint: TextConstraint? = nil, truncated: Int = 0, endTokens: [Int32]? = nil,
        thinkingEnd: ThinkingEnd? = nil
    ) {
        self.endTokens = endTokens
        self.thinkingEnd = thinkingEnd
        self.prompt = prompt
        self.stop = stop
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.constraint = constraint
        self.truncated = truncated
    }
}
