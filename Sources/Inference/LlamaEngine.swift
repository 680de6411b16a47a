public import Evaluation
public import Llama
public import Logging
internal import Threads

/// Answers requests with llama.cpp in this process, on a thread of its own.
///
/// Flash attention is off and batches are a function of the requests, so that a repetition gives equal bits: measured on
/// a CPU for the same engine, another engine, after other shards, and with one or two threads.
///
/// Other limits of a batch, or other requests beside one, round differently. Measured on HellaSwag, batched against alone, per token:
/// 0.00002 nat on average and 0.002 at most with 32-bit weights; 0.04 nat on average and 0.8 at most with 4-bit weights, whose
/// kernels round activations to 8 bits. The limits are therefore part of the identity. With strict invariance, which costs up to a
/// quarter of the time, an answer has the bits that it would have alone.
public actor LlamaEngine: Engine {
    public nonisolated let identity: EngineIdentity
    public nonisolated let tokenizer: any Tokenizer
    public nonisolated let maxLength: Int

    let model: LlamaModel
    let settings: ResolvedSettings
    private let deviceChoice: DeviceChoice
    private let executor: ThreadExecutor
    /// At most one context is kept: a shard either scores or generates, rarely both.
    private var context: LlamaContext?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    /// Loads a model on the engine's own thread.
    ///
    /// - Parameters:
    ///   - modelPath: a GGUF file; it is checked within bounds before llama.cpp sees it.
    ///   - modelSHA256: recorded in the identity; computed from the file where `nil`.
    ///   - logger: takes llama.cpp's own lines, too.
    /// - Throws: `EngineError` of codes `modelUnreadable`, `modelUnsupported`, `deviceUnavailable`, `settings`.
    public static func load(
        modelPath: String, modelSHA256: String? = nil, settings: EngineSettings = EngineSettings(),
        logger: Logger = Logger(label: "assay.inference")
    ) async throws(EngineError) -> LlamaEngine {
        let executor = try Self.thread()
        LlamaBackend.start(logger: logger)
        let loaded = try await ModelLoader(executor: executor).load(
            path: modelPath, sha256: modelSHA256, settings: settings)
        if settings.invariance != loaded.settings.invariance {
            logger.warning(
                "strict results are for CPUs: here they stay at plan, and say so",
                metadata: ["device": "\(loaded.model.device.computeKind)"])
        }
        return LlamaEngine(loaded, executor: executor)
    }

    private static func thread() throws(EngineError) -> ThreadExecutor {
        do throws(ThreadError) {
            return try ThreadExecutor()
        } catch {
            throw EngineError(.outOfMemory, error.description)
        }
    }

    private init(_ loaded: LoadedModel, executor: ThreadExecutor) {
        self.identity = loaded.settings.identity(on: loaded.model.device, modelSHA256: loaded.sha256)
        self.tokenizer = LlamaTokenizer(loaded.model.vocabulary)
        self.maxLength = loaded.settings.maxLength
        self.model = loaded.model
        self.settings = loaded.settings
        self.deviceChoice = loaded.device
        self.executor = executor
    }

    /// What an engine would be, without its weights: of the model's file the header is read.
    ///
    /// - Throws: `EngineError` of codes `modelUnreadable`, `deviceUnavailable`, `settings`.
    public static func identity(
        modelPath: String, modelSHA256: String, settings: EngineSettings
    ) async throws(EngineError) -> EngineIdentity {
        try await ModelLoader(executor: try Self.thread()).identity(
            path: modelPath, sha256: modelSHA256, settings: settings)
    }

    /// An engine with other settings and the same weights; this one gives up its context.
    public func reconfigured(_ settings: EngineSettings) throws(EngineError) -> LlamaEngine {
        self.context = nil
        let resolved = try ResolvedSettings(settings, model: self.model.file, on: self.model.device)
        let loaded = LoadedModel(
            model: self.model, device: self.deviceChoice, sha256: self.identity.modelSHA256 ?? "", settings: resolved)
        return LlamaEngine(loaded, executor: self.executor)
    }

    public func run(
        _ requests: [EngineRequest], progress: @escaping @Sendable (EngineProgress) -> Void
    ) async throws(EngineError) -> [EngineResponse] {
        try RequestCheck(maxLength: self.maxLength, vocabularySize: self.model.vocabulary.count).check(requests)
        var meter = ProgressMeter(report: progress)
        var responses = [EngineResponse?](repeating: nil, count: requests.count)
        do throws(EngineError) {
            try self.score(requests, into: &responses, meter: &meter)
            try self.generate(requests, into: &responses, meter: &meter)
        } catch {
            // What is left in its memory, such as a NaN, would come to the next shard: a masked NaN is one, too.
            self.context = nil
            throw try self.blamed(error, requests)
        }
        return try responses.enumerated().map { (index, response) throws(EngineError) in
            guard let response else {
                throw EngineError(.decodeFailed, "the plan left it without an answer", requestIndex: index)
            }
            return response
        }
    }

    /// An output that is no number spoils all that is computed beside it: names a request whose own is none, alone.
    private func blamed(_ error: EngineError, _ requests: [EngineRequest]) throws(EngineError) -> EngineError {
        guard error.code == .notFinite else { return error }
        let suspects = [error.requestIndex].compactMap { $0 } + requests.indices
        for index in suspects.prefix(Self.mostSuspects) {
            try self.checkCancellation()
            var (responses, meter) = ([EngineResponse?](repeating: nil, count: 1), ProgressMeter { _ in })
            do throws(EngineError) {
                try self.score([requests[index]], into: &responses, meter: &meter)
                try self.generate([requests[index]], into: &responses, meter: &meter)
            } catch {
                self.context = nil
                if error.code == .notFinite { return EngineError(.notFinite, error.message, requestIndex: index) }
            }
        }
        return EngineError(.notFinite, error.message)
    }

    /// So many requests are computed alone to find the one at fault.
    private static let mostSuspects = 200

    /// A context of this shape without any memory of what was before.
    func emptyContext(_ shape: ContextShape) throws(EngineError) -> LlamaContext {
        if let context = self.context, context.shape == shape {
            context.clear()
            return context
        }
        // Never two at a time.
        self.context = nil
        try self.checkMemory(for: shape)
        let context = try translatingErrors { () throws(LlamaError) in try LlamaContext(self.model, shape: shape) }
        self.context = context
        return context
    }

    /// Refuses what does not fit into the device's free memory: systems promise memory that they do not have, and end the
    /// process that uses it.
    private func checkMemory(for shape: ContextShape) throws(EngineError) {
        let device = self.model.device
        guard let usable = LlamaDevice.usableMemory(of: device.name) else { return }
        // To ask llama.cpp takes a while, and mostly there is plenty.
        guard self.roughNeed(of: shape) > usable / 2 else { return }
        let (file, choice) = (self.model.file, self.deviceChoice)
        let plan = try translatingErrors { () throws(LlamaError) in
            try MemoryPlan(file, shape: shape, device: choice)
        }
        let needed = plan.cache + plan.computation
        guard needed > usable else { return }
        throw EngineError(
            .outOfMemory,
            "\(file.name) needs \(ResolvedSettings.megabytes(needed)) MiB for \(shape.totalCells) tokens of context "
                + "(\(ResolvedSettings.megabytes(plan.cache)) for keys and values, "
                + "\(ResolvedSettings.megabytes(plan.computation)) to compute with), but \(device.name) has \(usable >> 20) MiB to "
                + "spare; lower max_length, batch_tokens or cache_mb, or use a device with more memory")
    }

    /// Bytes that a context hardly exceeds: keys and values, every head's attention over all of them in a few copies, and
    /// outputs.
    private func roughNeed(of shape: ContextShape) -> Int {
        let file = self.model.file
        let attention = shape.cells * shape.stepTokens * file.headCount * MemoryLayout<Float>.size
        let outputs = max(shape.outputs, shape.sequences) * file.vocabularySize * 8
        return shape.totalCells * file.cacheBytesPerToken + 4 * attention + outputs
    }

    /// Whatever has to be looked at between two decodes.
    func checkCancellation() throws(EngineError) {
        guard !Task.isCancelled else { throw EngineError(.cancelled, "the shard was cancelled") }
    }
}

/// What `ModelLoader` hands over.
struct LoadedModel: Sendable {
    var model: LlamaModel
    var device: DeviceChoice
    var sha256: String
    var settings: ResolvedSettings
}

/// Loads a model on the thread that will use it.
private actor ModelLoader {
    private let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    init(executor: ThreadExecutor) { self.executor = executor }

    func load(path: String, sha256: String?, settings: EngineSettings) throws(EngineError) -> LoadedModel {
        let (resolved, _) = try Self.resolve(path: path, settings)
        let file = resolved.file
        try Self.checkWeights(of: file, on: settings.device)
        let model = try translatingErrors { () throws(LlamaError) in try LlamaModel(file, device: settings.device) }
        let digest = try translatingErrors { () throws(LlamaError) in
            if let sha256 { sha256 } else { try GGUFFile.sha256(path: path) }
        }
        return LoadedModel(model: model, device: settings.device, sha256: digest, settings: resolved)
    }

    func identity(path: String, sha256: String, settings: EngineSettings) throws(EngineError) -> EngineIdentity {
        let (resolved, device) = try Self.resolve(path: path, settings)
        return resolved.identity(on: device, modelSHA256: sha256)
    }

    private static func resolve(
        path: String, _ settings: EngineSettings
    ) throws(EngineError) -> (ResolvedSettings, LlamaDevice) {
        let file = try translatingErrors { () throws(LlamaError) in try GGUFFile(path: path) }
        let device = try translatingErrors { () throws(LlamaError) in try settings.device.device() }
        return (try ResolvedSettings(settings, model: file, on: device), device)
    }

    /// Refuses a model that is larger than its device's free memory, before minutes are spent on reading it.
    private static func checkWeights(of file: GGUFFile, on choice: DeviceChoice) throws(EngineError) {
        let device = try translatingErrors { () throws(LlamaError) in try choice.device() }
        guard let usable = LlamaDevice.usableMemory(of: device.name), file.byteCount > usable else { return }
        throw EngineError(
            .outOfMemory,
            "\(file.name) has \(file.byteCount >> 20) MiB of weights, but \(device.name) has \(usable >> 20) MiB to spare; use a "
                + "device with more memory (requires: gpu_mb in the job file), or a smaller quantization")
    }
}

/// The tokenizer of a GGUF model.
public struct LlamaTokenizer: Tokenizer {
    public let vocabulary: Vocabulary
    private var rules = TokenRules()

    public init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// Loads only the vocabulary of a model, for planning and previews; takes a fraction of a second.
    public init(modelPath: String) throws(EngineError) {
        self.init(
            try translatingErrors { () throws(LlamaError) in
                try LlamaModel(path: modelPath, vocabularyOnly: true).vocabulary
            })
    }

    public func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) throws(TaskError) -> [Int32] {
        do throws(LlamaError) {
            return try self.vocabulary.tokenize(
                text, addSpecial: addSpecial, readSpecial: readSpecial,
                prefixesFirstOnly: self.rules.spacePrefix == .first,
                composes: self.rules.normalization.map { $0 == .nfc })
        } catch {
            throw TaskError(.invalidSample, error.message)
        }
    }

    public var beginning: String? { self.vocabulary.beginningOfText.map(self.vocabulary.name) }

    public var beginningToken: Int32? { self.vocabulary.beginningOfText }

    public var prefixToken: Int32? { self.vocabulary.beginningOfText ?? self.vocabulary.endOfText }

    public func following(_ rules: TokenRules) -> any Tokenizer {
        var tokenizer = self
        tokenizer.rules = rules
        return tokenizer
    }

    public func token(named name: String) -> Int32? { self.vocabulary.token(named: name) }

    public func name(of token: Int32) -> String? {
        (0..<Int32(clamping: self.vocabulary.count)).contains(token) ? self.vocabulary.name(token) : nil
    }
}

/// Refuses requests that can't be answered, before anything is computed.
struct RequestCheck {
    let maxLength: Int
    let vocabularySize: Int

    func check(_ requests: [EngineRequest]) throws(EngineError) {
        for (index, request) in requests.enumerated() {
            switch request {
            case .score(let request): try self.check(request, index: index)
            case .generate(let request): try self.check(request, index: index)
            }
        }
    }

    private func check(_ request: ScoringRequest, index: Int) throws(EngineError) {
        guard request.tokens.count >= 2, (1..<request.tokens.count).contains(request.scoredFrom) else {
            throw EngineError(
                .invalidRequest,
                "\(request.tokens.count) tokens scored from \(request.scoredFrom); at least one token of context and one to "
                    + "score are needed", requestIndex: index)
        }
        try self.check(request.tokens, length: request.tokens.count - 1, index: index)
    }

    private func check(_ request: GenerationRequest, index: Int) throws(EngineError) {
        guard !request.prompt.isEmpty, request.maxTokens >= 1 else {
            throw EngineError(
                .invalidRequest,
                "a prompt of \(request.prompt.count) tokens and \(request.maxTokens) new ones; at least one of each is needed",
                requestIndex: index)
        }
        if let rule = request.sampling?.rule {
            guard rule.temperature > 0, rule.temperature.isFinite, (rule.topK ?? 1) >= 1, (0...1).contains(rule.minP),
                rule.topP > 0, rule.topP <= 1
            else {
                throw EngineError(
                    .invalidRequest,
                    "sampling needs a temperature above 0, top_k of at least 1, top_p above 0 and at most 1, and min_p "
                        + "from 0 to 1", requestIndex: index)
            }
        }
        let length = request.prompt.count.addingReportingOverflow(request.maxTokens)
        try self.check(request.prompt, length: length.overflow ? Int.max : length.partialValue, index: index)
    }

    private func check(_ tokens: [Int32], length: Int, index: Int) throws(EngineError) {
        guard length <= self.maxLength else {
            throw EngineError(
                .requestTooLong,
                "needs \(length) tokens, but the engine takes \(self.maxLength); raise max_length or truncate the prompt",
                requestIndex: index)
        }
        let known = 0..<Int32(clamping: self.vocabularySize)
        if let stray = tokens.first(where: { !known.contains($0) }) {
            throw EngineError(
                .invalidRequest, "token \(stray) is not in the vocabulary of \(self.vocabularySize)",
                requestIndex: index)
        }
    }
}

extension EngineError {
    /// What a failure of llama.cpp means to the caller of the engine.
    init(_ error: LlamaError) {
        let code: Code =
            switch error.code {
            case .deviceUnavailable: .deviceUnavailable
            case .fileUnreadable, .loadFailed, .malformedFile: .modelUnreadable
            case .limitExceeded: .invalidRequest
            case .outOfMemory: .outOfMemory
            case .unsupported: .modelUnsupported
            default: .decodeFailed
            }
        self.init(code, error.message)
    }
}

/// Runs `body`, whose failure becomes an `EngineError`.
func translatingErrors<Result>(_ body: () throws(LlamaError) -> Result) throws(EngineError) -> Result {
    do throws(LlamaError) {
        return try body()
    } catch {
        throw EngineError(error)
    }
}
