internal import CLlama
internal import CLlamaCalls

/// A model at work: the memory of the sequences it is reading.
///
/// To be used from one thread at a time. Every argument is checked first, because llama.cpp aborts the process on some
/// wrong ones.
public final class LlamaContext {
    public let shape: ContextShape
    let model: ModelHandle
    let pointer: OpaquePointer
    let vocabularySize: Int
    /// Which tokens of the last batch have outputs, which are valid until the next.
    var wantsOutput: [Int8] = []
    /// The temperature that a token is drawn at after each token of the last batch; 0 for none.
    var temperatures: [Double] = []
    /// The outputs by token, once somebody has asked for one.
    var outputs: [Output?] = []

    /// Makes a context; flash attention is off, because it rounds differently from device to device.
    public init(_ model: LlamaModel, shape: ContextShape) throws(LlamaError) {
        try shape.check()
        guard model.hasWeights else {
            throw LlamaError(
                .limitExceeded, "\(model.file.path): only the vocabulary was loaded, a context needs weights")
        }
        let (made, complaints) = LogRouter.shared.capturing {
            var parameters = Self.parameters(shape, of: model.file)
            return llamaCall { cllama_context(UnsafeMutableRawPointer(model.handle.pointer), &parameters, &$0) }
        }
        guard let pointer = made.value else {
            let reasons = complaints + (made.failure.map { [$0] } ?? [])
            let reason = reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
            throw LlamaError(
                .outOfMemory,
                "\(model.file.path): llama.cpp can't make a context of \(shape.totalCells) tokens: \(reason)")
        }
        guard llama_get_memory(OpaquePointer(pointer)) != nil else {
            llama_free(OpaquePointer(pointer))
            throw LlamaError(
                .unsupported,
                "\(model.file.path): the model (\(model.file.architecture)) reads texts as a whole; only decoders are supported"
            )
        }
        self.shape = shape
        self.model = model.handle
        self.pointer = OpaquePointer(pointer)
        self.vocabularySize = model.vocabulary.count
    }

    static func parameters(_ shape: ContextShape, of file: GGUFFile) -> llama_context_params {
        var parameters = llama_context_default_params()
        parameters.n_ctx = UInt32(shape.totalCells)
        parameters.n_batch = UInt32(shape.fullBatch)
        parameters.n_ubatch = UInt32(shape.stepTokens)
        parameters.n_outputs_max = UInt32(shape.outputRows)
        parameters.n_seq_max = UInt32(shape.allSequences)
        parameters.n_threads = Int32(shape.threads)
        parameters.n_threads_batch = Int32(shape.threads)
        parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.kv_unified = shape.layout == .shared
        parameters.no_perf = true
        if file.hasFullPrecision { (parameters.type_k, parameters.type_v) = (GGML_TYPE_F32, GGML_TYPE_F32) }
        return parameters
    }

    deinit { llama_free(self.pointer) }

    /// Computes a batch; its distributions can be read until the next call.
    public func decode(_ batch: LlamaBatch) throws(LlamaError) {
        try self.check(batch)
        self.wantsOutput = []
        self.outputs = []
        let spare = try self.spare(for: batch)
        let ((status, failure), complaints) = LogRouter.shared.capturing {
            self.rawDecode(spare.map(batch.filled) ?? batch)
        }
        guard status == 0 else {
            let what =
                switch status {
                case 1: "there is no room left in the context (\(self.shape.totalCells) tokens)"
                case 2: "it was aborted"
                case -1: "llama.cpp calls the batch invalid"
                case -2: "memory could not be allocated"
                default: "the computation failed (\(status))"
                }
            let reasons = complaints + (failure.map { [$0] } ?? [])
            let details = reasons.isEmpty ? "" : ": " + reasons.joined(separator: "; ")
            throw LlamaError(
                status == -2 ? .outOfMemory : .decodeFailed, "decoding \(batch.count) tokens failed: \(what)\(details)")
        }
        if let spare { try self.truncate(anySequence: spare.sequence, from: spare.position) }
        (self.wantsOutput, self.temperatures) = (batch.outputs, batch.temperatures)
    }

    /// What fills up the blocks of a batch; `nil` where none are asked for.
    private func spare(for batch: LlamaBatch) throws(LlamaError) -> LlamaBatch.Spare? {
        guard self.shape.block > 1 else { return nil }
        let (sequence, position) =
            switch self.shape.layout {
            case .shared: (Int32(self.shape.sequences), 0)
            case .separate: (batch.lastSequence, batch.lastPosition + 1)
            }
        return LlamaBatch.Spare(
            sequence: sequence, position: position, block: self.shape.block, step: self.shape.stepTokens)
    }

    private func rawDecode(_ batch: LlamaBatch) -> (value: Int32, failure: String?) {
        var (tokens, positions, outputs, sequences) = (batch.tokens, batch.positions, batch.outputs, batch.sequences)
        return tokens.withUnsafeMutableBufferPointer { tokens in
            positions.withUnsafeMutableBufferPointer { positions in
                outputs.withUnsafeMutableBufferPointer { outputs in
                    sequences.withUnsafeMutableBufferPointer { sequences in
                        let starts = batch.sequenceStarts
                        let ends = starts.dropFirst() + [sequences.count]
                        var counts = zip(starts, ends).map { Int32($1 - $0) }
                        var lists = starts.map { sequences.baseAddress?.advanced(by: $0) }
                        return counts.withUnsafeMutableBufferPointer { counts in
                            lists.withUnsafeMutableBufferPointer { lists in
                                var batch = llama_batch(
                                    n_tokens: Int32(tokens.count), token: tokens.baseAddress, embd: nil,
                                    pos: positions.baseAddress, n_seq_id: counts.baseAddress,
                                    seq_id: lists.baseAddress, logits: outputs.baseAddress)
                                return llamaCall {
                                    cllama_decode(
                                        UnsafeMutableRawPointer(self.pointer), &batch,
                                        UInt32(self.shape.block), &$0)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Everything that llama.cpp would answer with an abort.
    private func check(_ batch: LlamaBatch) throws(LlamaError) {
        // llama.cpp takes no batch that is larger than the context.
        let most = min(self.shape.batchTokens, self.shape.totalCells)
        guard (1...most).contains(batch.count) else {
            throw LlamaError(.limitExceeded, "a batch of \(batch.count) tokens; this context takes 1...\(most)")
        }
        guard batch.outputCount <= self.shape.outputs else {
            throw LlamaError(
                .limitExceeded, "a batch with \(batch.outputCount) outputs; this context takes \(self.shape.outputs)")
        }
        let ids = 0..<Int32(clamping: self.vocabularySize)
        if let stray = batch.tokens.first(where: { !ids.contains($0) }) {
            throw LlamaError(.limitExceeded, "token \(stray) is not in the vocabulary of \(self.vocabularySize)")
        }
        let known = 0..<Int32(clamping: self.shape.sequences)
        if let stray = batch.sequences.first(where: { !known.contains($0) }) {
            throw LlamaError(
                .limitExceeded, "sequence \(stray); this context has the sequences 0..<\(self.shape.sequences)")
        }
        if let stray = batch.positions.first(where: { $0 < 0 || $0 >= self.shape.cells }) {
            throw LlamaError(.limitExceeded, "position \(stray); this context has \(self.shape.cells) per sequence")
        }
    }
}

/// The memory of sequences.
extension LlamaContext {
    /// Forgets all sequences, so that what comes next does not depend on what was before.
    public func clear() {
        llama_memory_clear(llama_get_memory(self.pointer), false)
    }

    /// Forgets a sequence's tokens from `position` on.
    public func truncate(sequence: Int32, from position: Int = 0) throws(LlamaError) {
        try self.check(sequence)
        try self.truncate(anySequence: sequence, from: position)
    }

    /// The same for the spare sequence, too.
    func truncate(anySequence sequence: Int32, from position: Int) throws(LlamaError) {
        let (isDone, failure) = llamaCall {
            cllama_truncate(UnsafeMutableRawPointer(self.pointer), sequence, Int32(clamping: position), &$0)
        }
        guard isDone else {
            throw LlamaError(
                .unsupported,
                "this kind of model can't forget a part of a sequence (from position \(position))"
                    + (failure.map { ": \($0)" } ?? ""))
        }
    }

    /// Makes `target`, which must be empty or is forgotten, a copy of `source`.
    public func copy(sequence source: Int32, to target: Int32) throws(LlamaError) {
        try self.check(source)
        try self.check(target)
        guard source != target else { return }
        try self.truncate(sequence: target)
        // Whole sequences only: llama.cpp aborts on a part where sequences have cells of their own.
        let (isDone, failure) = llamaCall {
            cllama_copy(UnsafeMutableRawPointer(self.pointer), source, target, &$0)
        }
        guard isDone else {
            throw LlamaError(.decodeFailed, "sequence \(source) could not be copied: \(failure ?? "no reason given")")
        }
    }

    private func check(_ sequence: Int32) throws(LlamaError) {
        guard (0..<Int32(clamping: self.shape.sequences)).contains(sequence) else {
            throw LlamaError(
                .limitExceeded, "sequence \(sequence); this context has the sequences 0..<\(self.shape.sequences)")
        }
    }
}

/// The sizes of a context, fixed when it is made.
public struct ContextShape: Sendable, Hashable {
    /// How sequences share the memory for keys and values.
    public enum Layout: Sendable, Hashable {
        /// One pool of cells: a token may belong to several sequences, and attention runs over all cells used.
        case shared
        /// Every sequence has `cells` of its own: attention runs over these, and copying a sequence copies its data.
        case separate
    }

    public var layout: Layout
    /// Tokens that fit: in all for `shared`, per sequence for `separate`.
    ///
    /// Rounded up to a multiple of 256.
    public var cells: Int
    /// The number of sequences, 1...256; ids are 0..<sequences.
    public var sequences: Int
    /// The most tokens of a batch.
    public var batchTokens: Int
    /// The most tokens that are computed in one step; a larger batch is cut.
    public var stepTokens: Int
    /// The most outputs of a batch.
    public var outputs: Int
    /// Threads on the CPU.
    public var threads: Int
    /// Where it is more than 1, the outputs of a sequence do not depend on what else is computed, if sequences share tokens in
    /// whole blocks of so many only.
    ///
    /// Sums round by how many rows a step has and where keys and values stand. So each step gets a multiple of `block` tokens
    /// and outputs, and a token stands at its position modulo `block`. In the `separate` layout a batch has either one token for
    /// every sequence or many for one, and the number of sequences is a multiple of `block`.
    public var block: Int

    public init(
        layout: Layout, cells: Int, sequences: Int, batchTokens: Int, stepTokens: Int = 512, outputs: Int,
        threads: Int, block: Int = 1
    ) {
        self.layout = layout
        self.block = block
        self.cells = (cells + 255) / 256 * 256
        self.sequences = sequences
        self.batchTokens = batchTokens
        self.stepTokens = min(stepTokens, batchTokens)
        self.outputs = outputs
        self.threads = threads
    }

    /// Cells that a context can have in all.
    public static let mostCells = 1 << 30

    /// All cells of the context.
    public var totalCells: Int {
        switch self.layout {
        case .shared: self.cells
        case .separate: self.cells * self.sequences
        }
    }

    /// Sequences that llama.cpp keeps: one more for the tokens that fill up blocks.
    var allSequences: Int { self.sequences + (self.block > 1 && self.layout == .shared ? 1 : 0) }

    /// Tokens of a batch when its last block is full.
    var fullBatch: Int { (self.batchTokens + self.block - 1) / self.block * self.block }

    /// Rows that llama.cpp keeps for outputs: at least one for each sequence, wanted or not, and what fills up blocks.
    var outputRows: Int {
        let steps = (self.fullBatch + self.stepTokens - 1) / self.stepTokens
        return max(min(self.outputs + steps * (self.block - 1), self.fullBatch), self.allSequences)
    }

    func check() throws(LlamaError) {
        let numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = [
            ("cells", self.cells, 256...1 << 24), ("sequences", self.sequences, 1...LlamaBackend.maxSequences),
            ("batch tokens", self.batchTokens, 1...1 << 20),
            ("step tokens", self.stepTokens, 1...max(1, self.batchTokens)),
            ("outputs", self.outputs, 1...max(1, self.batchTokens)), ("threads", self.threads, 1...512),
            ("cells in all", self.totalCells, 256...Self.mostCells), ("tokens in a block", self.block, 1...256),
            ("sequences, the spare one included,", self.allSequences, 1...LlamaBackend.maxSequences),
            ("step tokens beyond a block", self.stepTokens % self.block, 0...0),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            throw LlamaError(
                .limitExceeded,
                "a context can't have \(value) \(name); \(range.lowerBound)...\(range.upperBound) are accepted")
        }
    }
}

/// Tokens that go through a model together.
///
/// A batch can be emptied and filled again without new memory.
public struct LlamaBatch: Sendable {
    public private(set) var tokens: [Int32] = []
    /// Each token's position in its sequences.
    public private(set) var positions: [Int32] = []
    /// Whether the distribution after each token is wanted; 0 or 1.
    private(set) var outputs: [Int8] = []
    /// The temperature that a token will be drawn at, where all may be drawn; 0 for none.
    ///
    /// The outputs are then summed together, on all threads; no result depends on it.
    private(set) var temperatures: [Double] = []
    /// The sequences of all tokens, token after token.
    private(set) var sequences: [Int32] = []
    /// Where each token's sequences begin in `sequences`.
    private(set) var sequenceStarts: [Int] = []
    public private(set) var outputCount = 0

    public var count: Int { self.tokens.count }

    public init() {}

    /// Adds a token that belongs to all of `sequences`, which must not be empty.
    public mutating func append(
        _ token: Int32, position: Int, sequences: some Collection<Int32>, wantsOutput: Bool, temperature: Double = 0
    ) {
        self.tokens.append(token)
        self.positions.append(Int32(clamping: position))
        self.outputs.append(wantsOutput ? 1 : 0)
        self.temperatures.append(temperature)
        self.sequenceStarts.append(self.sequences.count)
        self.sequences.append(contentsOf: sequences)
        if wantsOutput { self.outputCount += 1 }
    }

    /// Adds a token of one sequence.
    public mutating func append(
        _ token: Int32, position: Int, sequence: Int32, wantsOutput: Bool, temperature: Double = 0
    ) {
        self.append(
            token, position: position, sequences: CollectionOfOne(sequence), wantsOutput: wantsOutput,
            temperature: temperature)
    }

    /// Tokens that fill up blocks, and where they go.
    struct Spare {
        var sequence: Int32
        var position: Int
        var block: Int
        var step: Int
    }

    var lastSequence: Int32 { self.sequences.last ?? 0 }
    var lastPosition: Int { self.positions.last.map(Int.init) ?? -1 }

    /// The batch with further tokens, up to a whole block, and further outputs, up to whole blocks in each step that has any.
    func filled(with spare: Spare) -> LlamaBatch {
        var batch = self
        var position = spare.position
        while batch.count % spare.block != 0 {
            batch.append(self.tokens[0], position: position, sequence: spare.sequence, wantsOutput: false)
            position += 1
        }
        for start in stride(from: 0, to: batch.count, by: spare.step) {
            let step = start..<min(start + spare.step, batch.count)
            var missing = (spare.block - batch.outputs[step].count { $0 != 0 } % spare.block) % spare.block
            for index in step.reversed() where missing > 0 && batch.outputs[index] == 0 {
                batch.outputs[index] = 1
                batch.outputCount += 1
                missing -= 1
            }
        }
        return batch
    }

    public mutating func removeAll() {
        self.tokens.removeAll(keepingCapacity: true)
        self.positions.removeAll(keepingCapacity: true)
        self.outputs.removeAll(keepingCapacity: true)
        self.temperatures.removeAll(keepingCapacity: true)
        self.sequences.removeAll(keepingCapacity: true)
        self.sequenceStarts.removeAll(keepingCapacity: true)
        self.outputCount = 0
    }
}
