public import Evaluation
public import Logging

/// Answers requests with llama.cpp in this process.
public actor LlamaEngine: Engine {
    public nonisolated let identity: EngineIdentity
    public nonisolated let tokenizer: any Tokenizer
    public nonisolated let maxLength: Int

    /// Loads a model on the engine's own thread.
    ///
    /// - Parameters:
    ///   - modelPath: a GGUF file; it is checked within bounds before llama.cpp sees it.
    ///   - modelSHA256: recorded in the identity; computed from the file where `nil`.
    public static func load(
        modelPath: String, modelSHA256: String? = nil, settings: EngineSettings = EngineSettings(),
        logger: Logger = Logger(label: "assay.inference")
    ) async throws(EngineError) -> LlamaEngine {
        throw EngineError(.settings, "not yet")
    }

    init(identity: EngineIdentity, tokenizer: any Tokenizer, maxLength: Int) {
        self.identity = identity
        self.tokenizer = tokenizer
        self.maxLength = maxLength
    }

    public func run(
        _ requests: [EngineRequest], progress: @escaping @Sendable (EngineProgress) -> Void
    ) async throws(EngineError) -> [EngineResponse] {
        throw EngineError(.settings, "not yet")
    }
}
