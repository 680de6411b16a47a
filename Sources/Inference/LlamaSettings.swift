public import Evaluation
internal import JSON
public import Llama
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Settings with every default filled in and checked against a model.
struct ResolvedSettings: Sendable, Hashable {
    /// What jobs of older releases got that set nothing.
    static let defaultMaxLength = 8192
    /// Contexts that score differ in length by so many tokens at least, so that shards share them.
    static let contextStep = 2048
    /// The outputs of a batch take at most this many bytes.
    static let outputBytes = 256 << 20

    let maxLength: Int
    let limits: BatchLimits
    let generationSlots: Int
    /// The limit that was set, if one was.
    let cacheBytes: Int?
    /// What decides how many texts are generated at once.
    let slotBytes: Int
    let threads: Int
    let invariance: Invariance
    let file: GGUFFile

    /// - Parameter device: `nil` where it is not known yet.
    init(
        _ settings: EngineSettings, model file: GGUFFile, on device: LlamaDevice? = nil
    ) throws(EngineError) {
        let isStrict = settings.invariance == .strict && (device?.kind ?? .cpu) == .cpu
        let block = isStrict ? EngineDefaults.strictBlock : 1
        if isStrict, let problem = file.strictProblem {
            throw EngineError(
                .settings,
                "\(file.name) can't be computed with invariance: strict: \(problem); use invariance: plan, or other weights"
            )
        }
        let maxLength = settings.maxLength ?? min(max(block, file.contextLength / block * block), Self.defaultMaxLength)
        let threads = settings.threads ?? min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 512)
        let numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = [
            ("max_length", maxLength, 2...max(2, file.contextLength / block * block)),
            ("batch_tokens", settings.batchTokens, 32...1_000_000),
            ("max_sequences", settings.maxSequences, 2...LlamaBackend.maxSequences),
            ("generation_slots", settings.generationSlots, 1...(LlamaBackend.maxSequences - 1)),
            ("cache_mb", settings.slotBytes, 1...Int.max), ("threads", threads, 1...512),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            let blocks = block > 1 ? ", in whole blocks of \(block)" : ""
            let limit = name == "max_length" ? " (the context length of \(file.name)\(blocks))" : ""
            throw EngineError(
                .settings,
                "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)\(limit)")
        }
        self.maxLength = maxLength
        let rows = Self.outputBytes / (file.vocabularySize * MemoryLayout<Float>.size)
        let tokens = settings.batchTokens / block * block
        self.invariance = isStrict ? .strict : .plan
        self.limits = BatchLimits(
            // One sequence fills up blocks.
            tokens: tokens, sequences: min(settings.maxSequences, LlamaBackend.maxSequences - (isStrict ? 1 : 0)),
            outputs: min(tokens, max(16, rows)), block: block)
        self.generationSlots = settings.generationSlots
        self.cacheBytes = settings.cacheBytes
        self.slotBytes = settings.slotBytes
        self.threads = threads
        self.file = file
        try self.checkScoringCache()
    }

    /// The context that scores: the trunk may have `longest` tokens, a pack of branches comes on top.
    ///
    /// It is a function of the shard's requests; one for all that `maxLength` allows would be many gigabytes.
    func scoringShape(longest: Int) -> ContextShape {
        // Where frequencies depend on the size of the context, it must be the same for all shards.
        let steps = (longest + Self.contextStep - 1) / Self.contextStep
        let trunk = self.file.longRopeThreshold == nil ? min(steps * Self.contextStep, self.maxLength) : self.maxLength
        let block = self.limits.block
        // Up to a block of cells stays empty before what each sequence has of its own.
        let gaps = block > 1 ? (self.limits.sequences + 1) * block : 0
        return ContextShape(
            layout: .shared, cells: trunk + self.limits.tokens + gaps, sequences: self.limits.sequences,
            batchTokens: self.limits.tokens, stepTokens: Self.stepTokens / block * block,
            outputs: self.limits.outputs, threads: self.threads, block: block)
    }

    /// The context that generates texts of at most `length` tokens, prompt included.
    func generationShape(texts: Int, length: Int) throws(EngineError) -> ContextShape {
        // Where frequencies depend on the size of the context, it must be the same for all shards.
        let cells = self.file.longRopeThreshold == nil ? length : self.maxLength
        let block = self.limits.block
        let slots = (self.generationSlots + block - 1) / block * block
        // Every text at work adds a token to a batch.
        let batchTokens = max(self.limits.tokens, slots)
        var shape = ContextShape(
            layout: .separate, cells: cells, sequences: block, batchTokens: batchTokens,
            stepTokens: min(Self.stepTokens, self.limits.tokens), outputs: slots, threads: self.threads, block: block)
        let affordable = self.slotBytes / (shape.cells * self.file.cacheBytesPerToken)
        guard affordable >= block || self.cacheBytes == nil, shape.totalCells <= ContextShape.mostCells else {
            throw self.cacheTooSmall(for: shape)
        }
        let wanted = min(slots, (texts + block - 1) / block * block)
        let possible = min(max(affordable, block), ContextShape.mostCells / shape.cells)
        shape.sequences = min(wanted, possible / block * block)
        return shape
    }

    /// What answers, on a device and with a model of this hash.
    func identity(on device: LlamaDevice, modelSHA256: String) -> EngineIdentity {
        EngineIdentity(
            engine: EngineFingerprint.engineName, engineBuild: LlamaBackend.build, deviceKind: device.computeKind,
            modelName: self.file.name, modelSHA256: modelSHA256, tokenizerSHA256: self.file.tokenizerSHA256,
            settings: self.identity.merging(device.traits) { own, _ in own })
    }

    /// What may change low bits of answers, for the engine's identity.
    var identity: [String: String] {
        let always = [
            "invariance": self.invariance.rawValue, "max_length": "\(self.maxLength)",
            "kv_type": self.file.hasFullPrecision ? "f32" : "f16", "flash_attention": "off",
        ]
        guard self.invariance == .plan else {
            let strict = ["block": "\(self.limits.block)", "strict_version": "\(Self.strictVersion)"]
            return always.merging(strict) { first, _ in first }
        }
        let plan = [
            "batch_tokens": "\(self.limits.tokens)",
            "max_sequences": "\(self.limits.sequences)", "generation_slots": "\(self.generationSlots)",
            "cache_bytes": "\(self.slotBytes)", "micro_batch": "\(min(Self.stepTokens, self.limits.tokens))",
            "outputs": "\(self.limits.outputs)", "plan_version": "\(Self.planVersion)",
        ]
        return always.merging(plan) { first, _ in first }
    }

    /// Raised whenever equal requests become other batches, or their outputs other numbers: results of two versions may
    /// differ in low bits, and their files and digests say so.
    static let planVersion = 1
    /// Raised whenever strict answers to equal requests become others.
    static let strictVersion = 1
    /// Tokens that are computed in one step.
    static let stepTokens = 512

    private func checkScoringCache() throws(EngineError) {
        let largest = self.scoringShape(longest: self.maxLength)
        if let cacheBytes, largest.cells * self.file.cacheBytesPerToken > cacheBytes {
            throw self.cacheTooSmall(for: largest)
        }
        guard let threshold = self.file.longRopeThreshold, self.maxLength <= threshold,
            largest.cells > threshold
        else { return }
        throw EngineError(
            .settings,
            "\(self.file.name) computes differently in contexts of more than \(threshold) tokens; set max_length to at most "
                + "\(threshold / 256 * 256 - self.limits.tokens) or to more than \(threshold)")
    }

    private func cacheTooSmall(for shape: ContextShape) -> EngineError {
        let needed = shape.cells * self.file.cacheBytesPerToken
        return EngineError(
            .settings,
            "keys and values of \(shape.cells) tokens (max_length \(self.maxLength), batch_tokens \(self.limits.tokens)) of "
                + "\(self.file.name) take \(Self.megabytes(needed)) MiB, but cache_mb allows "
                + "\((self.cacheBytes ?? 0) >> 20); set cache_mb to at least \(Self.megabytes(needed)), or lower max_length"
        )
    }

    /// Rounded up.
    static func megabytes(_ bytes: Int) -> Int { (bytes >> 20) + (bytes & (1 << 20 - 1) == 0 ? 0 : 1) }
}

/// Says of settings, before anything is submitted, whether an engine could ever run them on a model.
///
/// It reads models' headers alone, each once.
public final class SettingsCheck: Sendable {
    private let files = Mutex<[String: Result<GGUFFile, LlamaError>]>([:])

    public init() {}

    /// Why settings can't run on the model at `path`, whatever the device; `nil` if they can.
    ///
    /// - Parameter rules: Of them all, those that name tokens have the model's vocabulary loaded.
    public func problem(
        _ settings: EngineSettings, rules: TokenRules = TokenRules(), modelPath path: String
    ) -> String? {
        do throws(EngineError) {
            _ = try ResolvedSettings(settings, model: try self.file(path).translated.get())
            guard !rules.isEmpty else { return nil }
            let tokenizer = try LlamaTokenizer(modelPath: path)
            do throws(TaskError) {
                try rules.check(tokenizer)
                return nil
            } catch {
                return error.message
            }
        } catch {
            return error.message
        }
    }

    /// Why a model's tokens may be other ones than those of its own tokenizer; `nil` if nothing speaks for it.
    public func tokenizerDoubt(modelPath path: String) -> String? { try? self.file(path).get().tokenizer.doubt }

    private func file(_ path: String) -> Result<GGUFFile, LlamaError> {
        let known = self.files.withLock { $0[path] }
        let file = known ?? Result { () throws(LlamaError) in try GGUFFile(path: path) }
        if known == nil { self.files.withLock { $0[path] = file } }
        return file
    }
}

extension Result where Failure == LlamaError {
    fileprivate var translated: Result<Success, EngineError> { self.mapError(EngineError.init) }
}

/// What of an engine's identity no model and no setting decides: results of workers that have it in common are comparable to
/// the last bit.
public enum EngineFingerprint {
    /// The name of the engine in results.
    static let engineName = "llama.cpp"

    /// llama.cpp on a device, as a JSON object with sorted keys: engine, build, kind of device, what of the machine decides
    /// how it rounds, and how requests become batches.
    public static func json(of device: LlamaDevice) -> String {
        Self.json(build: LlamaBackend.build, deviceKind: device.computeKind, traits: device.traits)
    }

    static func json(build: String, deviceKind: String, traits: [String: String]) -> String {
        let own = [
            "engine": Self.engineName, "build": build, "device_kind": deviceKind,
            "plan_version": "\(ResolvedSettings.planVersion)",
        ]
        let members = traits.merging(own) { _, own in own }.sorted { $0.key < $1.key }.map { name, value in
            JSONValue.string(name).text() + ":" + JSONValue.string(value).text()
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}
