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
