public import Evaluation

/// Answers the requests of a shard.
public protocol Engine: Sendable {
    /// What answers: recorded with every result.
    var identity: EngineIdentity { get }

    /// The tokenizer of the engine's model; requests are written in its ids.
    var tokenizer: any Tokenizer { get }

    /// The largest number of tokens a request may need: context and continuation, or prompt and new tokens.
    ///
    /// A scoring request may have one token more, because its last token is predicted but never fed.
    var maxLength: Int { get }

    /// Answers all requests of a shard, in their order.
    ///
    /// The answers are a function of the requests, of the engine's identity and of nothing else: not of timing, of what was
    /// asked before, or of how many workers there are. Cancelling the task ends it at the next decode
    /// with an error of code `cancelled`.
    ///
    /// - Parameter progress: called on the engine's own thread, now and then; it must return quickly.
    /// - Throws: `EngineError`; no answer of the shard is of use then.
    func run(
        _ requests: [EngineRequest], progress: @escaping @Sendable (EngineProgress) -> Void
    ) async throws(EngineError) -> [EngineResponse]
}

extension Engine {
    /// Answers all requests of a shard, in their order, without reporting progress.
    public func run(_ requests: [EngineRequest]) async throws(EngineError) -> [EngineResponse] {
        try await self.run(requests, progress: { _ in })
    }
}
