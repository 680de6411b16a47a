public import Evaluation
public import Llama

/// How a `LlamaEngine` works.
///
/// All but `threads` are part of the engine's identity: they may change low bits of answers. With strict invariance sizes of
/// batches, slots and memory are not.
public struct EngineSettings: Sendable, Hashable {
    /// The largest number of tokens of a request; `nil`: the model's context length, at most 8192.
    public var maxLength: Int?
    /// Tokens per decode when scoring.
    public var batchTokens: Int
    /// Sequences decoded at once when scoring, 2...256.
    public var maxSequences: Int
    /// Sequences decoded at once when generating, 1...255; fewer where the cache would take more than `slotBytes`.
    public var generationSlots: Int
    /// The most bytes that keys and values of a context may take; by default, as many as the device has.
    public var cacheBytes: Int?
    /// The same for the choice of slots, which is a function of settings and requests, never of a device.
    public var slotBytes: Int { self.cacheBytes ?? 4 << 30 }
    /// Threads for computation on the CPU; by default one per processor.
    ///
    /// It does not change answers. Threads wait for each other in busy loops: never run more than there are processors.
    public var threads: Int?
    public var device: DeviceChoice
    /// What answers may depend on; on anything but a CPU it is `plan`, whatever is asked for.
    public var invariance: Invariance

    public init(
        maxLength: Int? = nil, batchTokens: Int = EngineDefaults.batchTokens,
        maxSequences: Int = EngineDefaults.maxSequences, generationSlots: Int = EngineDefaults.generationSlots,
        cacheBytes: Int? = nil, threads: Int? = nil, device: DeviceChoice = .auto, invariance: Invariance = .plan
    ) {
        self.invariance = invariance
        self.maxLength = maxLength
        self.batchTokens = batchTokens
        self.maxSequences = maxSequences
        self.generationSlots = generationSlots
        self.cacheBytes = cacheBytes
        self.threads = threads
        self.device = device
    }
}

extension EngineSettings {
    /// What a job says of its engine.
    public init(_ settings: JobSpecification.Settings, threads: Int? = nil, device: DeviceChoice = .auto) {
        self.init(
            maxLength: settings.maxLength, batchTokens: settings.batchTokens, maxSequences: settings.maxSequences,
            generationSlots: settings.generationSlots, cacheBytes: settings.cacheMegabytes.map { $0 << 20 },
            threads: threads, device: device, invariance: settings.invariance ?? .plan)
    }
}
