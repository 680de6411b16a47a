/// How far an engine is with a shard, and what it cost so far.
public struct EngineProgress: Sendable, Hashable {
    /// Requests answered so far.
    public var requestsDone: Int
    /// Tokens that went through the model, prompts and generated ones together.
    public var computedTokens: Int
    /// Tokens that did not have to, because another request of the shard had the same ones in front.
    public var savedTokens: Int
    /// New tokens of generations, a part of `computedTokens` except for the last one of each text.
    public var generatedTokens: Int

    public init(requestsDone: Int = 0, computedTokens: Int = 0, savedTokens: Int = 0, generatedTokens: Int = 0) {
        self.requestsDone = requestsDone
        self.computedTokens = computedTokens
        self.savedTokens = savedTokens
        self.generatedTokens = generatedTokens
    }
}
