internal import CLlama
internal import CLlamaCalls

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

    public let vocabulary: Vocabulary

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
        try self.handle.checkVocabulary(of: file)
        self.vocabulary = Vocabulary(self.handle, file.tokenizer)
        if !vocabularyOnly { try self.checkKind() }
    }

    private static func load(
        _ file: GGUFFile, accelerator: ggml_backend_dev_t?, vocabularyOnly: Bool
    ) throws(LlamaError) -> ModelHandle {
        let (loaded, complaints) = LogRouter.shared.capturing {
            Self.withParameters(accelerator) { parameters in
                parameters.vocab_only = vocabularyOnly
                return llamaCall { cllama_load(file.path, &parameters, &$0) }
            }
        }
        guard let pointer = loaded.value else {
            let reasons = complaints + (loaded.failure.map { [$0] } ?? [])
            let reason = reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
            throw LlamaError(.loadFailed, "\(file.path): llama.cpp can't load this model: \(reason)")
        }
        return ModelHandle(OpaquePointer(pointer))
    }

    /// How models are loaded: all of them on the accelerator, else on the CPU.
    static func withParameters<Result>(
        _ accelerator: ggml_backend_dev_t?, _ body: (inout llama_model_params) -> Result
    ) -> Result {
        // A list of its own, ended by nil: without one llama.cpp spreads the model over all devices.
        var devices: [ggml_backend_dev_t?] = accelerator == nil ? [nil] : [accelerator, nil]
        return devices.withUnsafeMutableBufferPointer { devices in
            var parameters = llama_model_default_params()
            parameters.devices = devices.baseAddress
            parameters.n_gpu_layers = accelerator == nil ? 0 : -1
            parameters.split_mode = LLAMA_SPLIT_MODE_NONE
            // A copy of its own: a mapped file changes under the model when somebody writes to it, and takes the process
            // with it when somebody cuts it short. It costs 0.6 s a gigabyte, and memory that several workers of one
            // machine could have shared.
            parameters.load_mode = LLAMA_LOAD_MODE_NONE
            return body(&parameters)
        }
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

    /// Refuses vocabularies that llama.cpp takes, and on which it ends the process when a text is tokenized.
    fileprivate func checkVocabulary(of file: GGUFFile) throws(LlamaError) {
        guard let vocabulary = llama_model_get_vocab(self.pointer) else {
            throw LlamaError(.unsupported, "\(file.path): the model has no vocabulary")
        }
        let usable = [
            LLAMA_VOCAB_TYPE_SPM, LLAMA_VOCAB_TYPE_BPE, LLAMA_VOCAB_TYPE_UGM, LLAMA_VOCAB_TYPE_RWKV,
            LLAMA_VOCAB_TYPE_PLAMO2,
        ]
        guard usable.contains(llama_vocab_type(vocabulary)) else {
            throw LlamaError(
                .unsupported,
                "\(file.path): the kind of its tokenizer (tokenizer.ggml.model) can't be used for decoders")
        }
        guard Int(llama_vocab_n_tokens(vocabulary)) == file.vocabularySize else {
            throw LlamaError(
                .malformedFile,
                "\(file.path): is damaged: llama.cpp reads \(llama_vocab_n_tokens(vocabulary)) tokens where the file has "
                    + "\(file.vocabularySize)")
        }
        for (adds, token, name) in [
            (llama_vocab_get_add_bos(vocabulary), llama_vocab_bos(vocabulary), "bos"),
            (llama_vocab_get_add_eos(vocabulary), llama_vocab_eos(vocabulary), "eos"),
        ] where adds && token == LLAMA_TOKEN_NULL {
            throw LlamaError(
                .malformedFile,
                "\(file.path): is damaged: tokenizer.ggml.add_\(name)_token is set, but there is no such token "
                    + "(tokenizer.ggml.\(name)_token_id)")
        }
    }
}

/// llama.cpp failed, or a model file is not what it should be.
public struct LlamaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case decodeFailed, deviceUnavailable, fileUnreadable, limitExceeded, loadFailed, malformedFile, outOfMemory
            case unsupported
        }

        private let value: Value

        /// `llama_decode` reported an error.
        public static let decodeFailed = Code(value: .decodeFailed)
        /// There is no such device in this process.
        public static let deviceUnavailable = Code(value: .deviceUnavailable)
        /// The operating system refused to open or read the file.
        public static let fileUnreadable = Code(value: .fileUnreadable)
        /// An argument is outside what was agreed with the context; caught before llama.cpp would abort the process.
        public static let limitExceeded = Code(value: .limitExceeded)
        /// llama.cpp refused the model.
        public static let loadFailed = Code(value: .loadFailed)
        /// The file is no GGUF file, is truncated or contradicts itself.
        public static let malformedFile = Code(value: .malformedFile)
        /// Memory for the model or a context could not be had.
        public static let outOfMemory = Code(value: .outOfMemory)
        /// A sound file of a kind that is not supported here.
        public static let unsupported = Code(value: .unsupported)

        public var description: String { self.value.rawValue }
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
