public import Evaluation
public import Llama

/// How a `LlamaEngine` works.
///
/// All but `threads` are part of the engine's identity: they may change low bits of answers.
public struct EngineSettings: Sendable, Hashable {
    /// The largest number of tokens of a request; by default the model's context length, at most 8192.
    public var maxLength: Int?
    /// Tokens per decode when scoring.
    public var batchTokens: Int
    /// Sequences decoded at once when scoring, 2...256.
    public var maxSequences: Int
    /// Sequences decoded at once when generating, 1...255; fewer where `cacheBytes` does not suffice.
    public var generationSlots: Int
    /// The most bytes that keys and values of a context may take.
    public var cacheBytes: Int
    /// Threads for computation on the CPU; by default one per processor.
    ///
    /// It does not change answers. Threads wait for each other in busy loops: never run more than there are processors.
    public var threads: Int?
    public var device: DeviceChoice

    public init(
        maxLength: Int? = nil, batchTokens: Int = EngineDefaults.batchTokens,
        maxSequences: Int = EngineDefaults.maxSequences, generationSlots: Int = EngineDefaults.generationSlots,
        cacheBytes: Int = 4 << 30, threads: Int? = nil, device: DeviceChoice = .auto
    ) {
        self.maxLength = maxLength
        self.batchTokens = batchTokens
        self.maxSequences = maxSequences
        self.generationSlots = generationSlots
        self.cacheBytes = cacheBytes
        self.threads = threads
        self.device = device
    }
}
