internal import Llama

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Settings with every default filled in and checked against a model.
struct ResolvedSettings: Sendable, Hashable {
    /// Prompts longer than this are rare, and memory for them is not.
    static let defaultMaxLength = 8192
    /// The outputs of a batch take at most this many bytes.
    static let outputBytes = 256 << 20

    let maxLength: Int
    let limits: BatchLimits
    let generationSlots: Int
    let cacheBytes: Int
    let threads: Int
    let file: GGUFFile

    init(_ settings: EngineSettings, model file: GGUFFile) throws(EngineError) {
        let maxLength = settings.maxLength ?? min(file.contextLength, Self.defaultMaxLength)
        let threads = settings.threads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = [
            ("maxLength", maxLength, 2...max(2, file.contextLength)),
            ("batchTokens", settings.batchTokens, 32...1_000_000),
            ("maxSequences", settings.maxSequences, 2...LlamaBackend.maxSequences),
            ("generationSlots", settings.generationSlots, 1...LlamaBackend.maxSequences),
            ("cacheBytes", settings.cacheBytes, 1...Int.max), ("threads", threads, 1...512),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            let limit = name == "maxLength" ? " (the context length of \(file.name))" : ""
            throw EngineError(
                .settings,
                "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)\(limit)")
        }
        self.maxLength = maxLength
        let rows = Self.outputBytes / (file.vocabularySize * MemoryLayout<Float>.size)
        self.limits = BatchLimits(
            tokens: settings.batchTokens, sequences: settings.maxSequences,
            outputs: min(settings.batchTokens, max(16, rows)))
        self.generationSlots = settings.generationSlots
        self.cacheBytes = settings.cacheBytes
        self.threads = threads
        self.file = file
        try self.checkScoringCache()
    }

    /// The context that scores: the trunk may fill `maxLength`, a pack of branches comes on top.
    var scoringShape: ContextShape {
        ContextShape(
            layout: .shared, cells: self.maxLength + self.limits.tokens, sequences: self.limits.sequences,
            batchTokens: self.limits.tokens, outputs: self.limits.outputs, threads: self.threads)
    }

    /// The context that generates texts of at most `length` tokens, prompt included.
    func generationShape(texts: Int, length: Int) throws(EngineError) -> ContextShape {
        // Where frequencies depend on the size of the context, it must be the same for all shards.
        let cells = self.file.longRopeThreshold == nil ? length : self.maxLength
        var shape = ContextShape(
            layout: .separate, cells: cells, sequences: 1, batchTokens: self.limits.tokens,
            outputs: self.generationSlots, threads: self.threads)
        let affordable = self.cacheBytes / (shape.cells * self.file.cacheBytesPerToken)
        guard affordable >= 1 else { throw self.cacheTooSmall(for: shape) }
        shape.sequences = min(self.generationSlots, texts, affordable)
        return shape
    }

    /// What may change low bits of answers, for the engine's identity.
    var identity: [String: String] {
        [
            "max_length": "\(self.maxLength)", "batch_tokens": "\(self.limits.tokens)",
            "max_sequences": "\(self.limits.sequences)", "generation_slots": "\(self.generationSlots)",
            "cache_bytes": "\(self.cacheBytes)",
        ]
    }

    private func checkScoringCache() throws(EngineError) {
        guard self.scoringShape.cells * self.file.cacheBytesPerToken <= self.cacheBytes else {
            throw self.cacheTooSmall(for: self.scoringShape)
        }
        guard let threshold = self.file.longRopeThreshold, self.maxLength <= threshold,
            self.scoringShape.cells > threshold
        else { return }
        throw EngineError(
            .settings,
            "\(self.file.name) computes differently in contexts of more than \(threshold) tokens; set maxLength to at most "
                + "\(threshold / 256 * 256 - self.limits.tokens) or to more than \(threshold)")
    }

    private func cacheTooSmall(for shape: ContextShape) -> EngineError {
        let needed = shape.cells * self.file.cacheBytesPerToken
        return EngineError(
            .settings,
            "keys and values of \(shape.cells) tokens of \(self.file.name) take \(needed >> 20) MiB, but cacheBytes allows "
                + "\(self.cacheBytes >> 20) MiB; lower maxLength or raise cacheBytes")
    }
}
