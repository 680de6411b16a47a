internal import CLlama
internal import CLlamaCalls

/// What a model with a context takes, in bytes, found out before anything is taken.
public struct MemoryPlan: Sendable, Hashable {
    /// On the device that computes.
    public var weights: Int
    /// Keys and values.
    public var cache: Int
    /// What lies between two layers while a batch is computed, and its outputs.
    public var computation: Int

    public var total: Int { self.weights + self.cache + self.computation }

    /// Asks llama.cpp, which reads the file's description of its tensors but no weights; a fraction of a second.
    ///
    /// - Throws: `LlamaError` of codes `deviceUnavailable`, `loadFailed` or `outOfMemory`, as loading would.
    public init(_ file: GGUFFile, shape: ContextShape, device: DeviceChoice) throws(LlamaError) {
        try shape.check()
        let (found, accelerator) = try device.resolve()
        var memory = cllama_memory()
        let (planned, complaints) = LogRouter.shared.capturing {
            LlamaModel.withParameters(accelerator) { model in
                var context = LlamaContext.parameters(shape, of: file)
                return llamaCall { cllama_plan_memory(file.path, &model, &context, &memory, &$0) }
            }
        }
        guard planned.value else {
            let reasons = complaints + (planned.failure.map { [$0] } ?? [])
            throw LlamaError(
                .loadFailed,
                "\(file.path): llama.cpp can't plan a context of \(shape.totalCells) tokens: "
                    + (reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")))
        }
        let isHost = found.kind == .cpu
        let outputs = shape.outputRows * file.vocabularySize * MemoryLayout<Float>.size
        self.weights = Int(clamping: isHost ? memory.host_weights : memory.device_weights)
        self.cache = Int(clamping: isHost ? memory.host_cache : memory.device_cache)
        self.computation = Int(clamping: isHost ? memory.host_compute : memory.device_compute) + (isHost ? outputs : 0)
    }
}
