internal import CLlama

/// A model in memory.
///
/// Loading takes from a fraction of a second to minutes: call it on a thread that may block.
public final class LlamaModel: Sendable {
    public let file: GGUFFile
    /// Where the model is.
    public let device: LlamaDevice
    /// Whether weights were loaded too.
    public let hasWeights: Bool
    let handle: ModelHandle

    public var vocabulary: Vocabulary { Vocabulary(self.handle) }

    /// Loads the GGUF file at `path` after checking it.
    ///
    /// - Parameter vocabularyOnly: leaves the weights out; enough to tokenise.
    public convenience init(
        path: String, device: DeviceChoice = .auto, vocabularyOnly: Bool = false
    ) throws(LlamaError) {
        try self.init(GGUFFile(path: path), device: device, vocabularyOnly: vocabularyOnly)
    }

    /// Loads a GGUF file that has been checked.
    public init(
        _ file: GGUFFile, device: DeviceChoice = .auto, vocabularyOnly: Bool = false
    ) throws(LlamaError) {
        LlamaBackend.started
        let (device, accelerator) = try (vocabularyOnly ? .cpu : device).resolve()
        self.file = file
        self.device = device
        self.hasWeights = !vocabularyOnly
        self.handle = try Self.load(file, accelerator: accelerator, vocabularyOnly: vocabularyOnly)
        if !vocabularyOnly { try self.checkKind() }
    }

    private static func load(
        _ file: GGUFFile, accelerator: ggml_backend_dev_t?, vocabularyOnly: Bool
    ) throws(LlamaError) -> ModelHandle {
        // A list of its own, ended by nil: without one llama.cpp spreads the model over all devices.
        var devices: [ggml_backend_dev_t?] = accelerator == nil ? [nil] : [accelerator, nil]
        let (pointer, complaints) = LogRouter.shared.capturing {
            devices.withUnsafeMutableBufferPointer { devices in
                var parameters = llama_model_default_params()
                parameters.devices = devices.baseAddress
                parameters.n_gpu_layers = accelerator == nil ? 0 : -1
                parameters.split_mode = LLAMA_SPLIT_MODE_NONE
                parameters.vocab_only = vocabularyOnly
                return llama_model_load_from_file(file.path, parameters)
            }
        }
        guard let pointer else {
            let reason = complaints.isEmpty ? "no reason given" : complaints.joined(separator: "; ")
            throw LlamaError(.loadFailed, "\(file.path): llama.cpp can't load this model: \(reason)")
        }
        return ModelHandle(pointer)
    }

    /// Refuses what can't be evaluated sequence by sequence from left to right.
    private func checkKind() throws(LlamaError) {
        let pointer = self.handle.pointer
        let kind: String
        if llama_model_has_encoder(pointer) || !llama_model_has_decoder(pointer) {
            kind = "has an encoder"
        } else if llama_model_is_recurrent(pointer) || llama_model_is_hybrid(pointer) {
            kind = "is recurrent"
        } else if llama_model_is_diffusion(pointer) {
            kind = "is a diffusion model"
        } else {
            return
        }
        throw LlamaError(
            .unsupported,
            "\(self.file.path): the model (\(self.file.architecture)) \(kind); only decoders are supported")
    }
}

/// Owns a `llama_model`, for as long as anything refers to it.
///
/// Safety: after loading, the model is only read, which llama.cpp allows from any thread; it is freed once, in `deinit`.
final class ModelHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { llama_model_free(self.pointer) }
}
