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

/// What to do with a prompt that is longer than the model takes.
public enum OverflowPolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// The left of it is cut off, as lm-eval does, and the sample says so in `is_truncated`.
    case truncate
    /// Its shard fails for good.
    case error
}

/// What a generated text must look like.
public enum TextConstraint: Sendable, Hashable {
    /// In llama.cpp's notation GBNF; the first rule is `root`.
    case grammar(String)
    /// A JSON text that the JSON schema describes.
    case jsonSchema(String)

    /// What task files call the kind.
    public var key: String {
        switch self {
        case .grammar: "grammar"
        case .jsonSchema: "json_schema"
        }
    }

    /// Grammar or schema.
    public var text: String {
        switch self {
        case .grammar(let text), .jsonSchema(let text): text
        }
    }
}

/// How tokens are drawn; without it the most likely one is taken.
public struct Sampling: Sendable, Hashable {
    /// Above 0; what log-probabilities are divided by.
    public var temperature: Double
    /// Only so many of the most likely tokens; `nil` for all.
    public var topK: Int?
    /// Only the most likely tokens that have so much probability together; 1 for all.
    public var topP: Double
    /// Only tokens with this part of the most likely one's probability; 0 for all.
    public var minP: Double
    public var seed: UInt64

    public init(temperature: Double, topK: Int? = nil, topP: Double = 1, minP: Double = 0, seed: UInt64 = 1234) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.seed = seed
    }
}

/// One text's random numbers: a function of seed, task, row, repeat and position alone, whatever is computed before or
/// beside it.
public struct RandomStream: Sendable, Hashable {
    public var seed: UInt64
    /// The first 32 bits of the SHA-256 of the task's name.
    public var task: UInt32
    public var row: UInt32
    public var `repeat`: UInt32

    public init(seed: UInt64, task: UInt32, row: Int, repeat number: Int) {
        self.seed = seed
        self.task = task
        self.row = UInt32(truncatingIfNeeded: row)
        self.repeat = UInt32(truncatingIfNeeded: number)
    }

    /// A number of 53 bits in [0, 1) for the token at `position` of the text.
    public func unit(at position: Int) -> Double {
        let words = Philox.words(
            counter: [UInt32(truncatingIfNeeded: position), self.task, self.row, self.repeat],
            key: (UInt32(truncatingIfNeeded: self.seed), UInt32(truncatingIfNeeded: self.seed >> 32)))
        return Double((UInt64(words[0]) << 32 | UInt64(words[1])) >> 11) * 0x1p-53
    }
}

/// The counter-based generator Philox4x32-10 (Salmon and others 2011).
enum Philox {
    static func words(counter: SIMD4<UInt32>, key: (UInt32, UInt32)) -> SIMD4<UInt32> {
        var counter = counter
        var key = key
        for _ in 0..<10 {
            let first = UInt64(counter[0]) * 0xD251_1F53
            let second = UInt64(counter[2]) * 0xCD9E_8D57
            counter = [
                UInt32(truncatingIfNeeded: second >> 32) ^ counter[1] ^ key.0, UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ counter[3] ^ key.1, UInt32(truncatingIfNeeded: first),
            ]
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return counter
    }
}

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
