public import Evaluation
internal import JSON
public import Llama

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

/// Gives the engine that answers a job's requests.
public protocol EngineProvider: Sendable {
    /// The engine with the job's model and settings, loaded if need be; only one is kept loaded.
    ///
    /// - Parameter sign: Called whenever loading has moved on; from any thread.
    /// - Throws: `modelUnavailable` if this machine does not have the model's file as it was registered.
    func engine(
        for job: JobSpecification, sign: @escaping @Sendable () -> Void
    ) async throws(EngineError) -> any Engine

    /// What the job's engine would be, without loading its model; the model's file is checked.
    func identity(for job: JobSpecification) async throws(EngineError) -> EngineIdentity

    /// The engine with the job's model and settings, if it is loaded already.
    func loadedEngine(for job: JobSpecification) async -> (any Engine)?
}

/// An engine could not start, or could not answer.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case cancelled, deviceUnavailable, invalidRequest, modelUnreadable, modelUnsupported, notFinite, outOfMemory
            case decodeFailed, modelUnavailable, requestTooLong, settings
        }

        private let value: Value

        /// The task was cancelled between two decodes.
        public static let cancelled = Code(value: .cancelled)
        /// The llama.cpp call itself failed, or the device did.
        public static let decodeFailed = Code(value: .decodeFailed)
        /// The device asked for is not there.
        public static let deviceUnavailable = Code(value: .deviceUnavailable)
        /// A request is malformed: empty, or with token ids outside the vocabulary.
        public static let invalidRequest = Code(value: .invalidRequest)
        /// This machine does not have the model's file as it was registered; another one may.
        public static let modelUnavailable = Code(value: .modelUnavailable)
        /// The model file is missing, truncated or damaged.
        public static let modelUnreadable = Code(value: .modelUnreadable)
        /// The model is of a kind that this engine can't evaluate.
        public static let modelUnsupported = Code(value: .modelUnsupported)
        /// The model's output holds NaN or infinity.
        public static let notFinite = Code(value: .notFinite)
        /// Memory for the model, the cache or the output does not suffice.
        public static let outOfMemory = Code(value: .outOfMemory)
        /// A request needs more tokens than `maxLength`.
        public static let requestTooLong = Code(value: .requestTooLong)
        /// The engine's settings contradict each other or the model.
        public static let settings = Code(value: .settings)

        /// Whether the same shard may well succeed when tried again, perhaps elsewhere.
        public var isTransient: Bool {
            switch self.value {
            case .cancelled, .decodeFailed, .deviceUnavailable, .modelUnavailable, .outOfMemory: true
            case .invalidRequest, .modelUnreadable, .modelUnsupported, .notFinite, .requestTooLong, .settings: false
            }
        }

        public var description: String { self.value.rawValue }
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String
    /// The index of the request at fault, where one is.
    public var requestIndex: Int?

    public init(_ code: Code, _ message: String, requestIndex: Int? = nil) {
        self.code = code
        self.message = message
        self.requestIndex = requestIndex
    }

    public var description: String {
        guard let requestIndex = self.requestIndex else { return self.message }
        return "request \(requestIndex): \(self.message)"
    }
}

/// What answers: everything besides the requests that answers may depend on.
public struct EngineIdentity: Sendable, Hashable, Codable {
    /// The engine's name, such as "llama.cpp".
    public var engine: String
    /// The exact build of the engine.
    public var engineBuild: String
    /// The kind of device with what decides its rounding, such as "cpu-avx512" or "NVIDIA H100 80GB HBM3".
    public var deviceKind: String
    /// The model's own name for itself, else its file's name.
    public var modelName: String
    /// The SHA-256 of the model's bytes in hexadecimal digits, as far as known.
    public var modelSHA256: String?
    /// The SHA-256 of everything that defines the tokenizer in hexadecimal digits, as far as known.
    public var tokenizerSHA256: String?
    /// What else may change low bits of answers (such as the size of batches), by name; nothing of what was scored again from
    /// results that do not tell of it.
    public var settings: [String: String]
    /// `settings` as a JSON object with sorted keys, numbers as numbers.
    public var settingsJSON: String {
        let members = self.settings.sorted { $0.key < $1.key }.map { name, value in
            JSONValue.string(name).text() + ":" + (Int(value).map(JSONValue.int) ?? .string(value)).text()
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    public init(
        engine: String, engineBuild: String, deviceKind: String, modelName: String, modelSHA256: String? = nil,
        tokenizerSHA256: String? = nil, settings: [String: String] = [:]
    ) {
        self.engine = engine
        self.engineBuild = engineBuild
        self.deviceKind = deviceKind
        self.modelName = modelName
        self.modelSHA256 = modelSHA256
        self.tokenizerSHA256 = tokenizerSHA256
        self.settings = settings
    }
}

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

/// Counts what an engine does and reports it.
struct ProgressMeter {
    private(set) var progress = EngineProgress()
    private let report: @Sendable (EngineProgress) -> Void

    init(report: @escaping @Sendable (EngineProgress) -> Void) { self.report = report }

    /// Changes the counts and reports them.
    mutating func update(_ change: (inout EngineProgress) -> Void) {
        change(&self.progress)
        self.report(self.progress)
    }
}
