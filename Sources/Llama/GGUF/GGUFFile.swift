internal import CLlama

/// What a GGUF file says about its model, read within strict bounds and checked against the file's size.
///
/// llama.cpp trusts files more than it should; nothing reaches it that has not been read here first.
public struct GGUFFile: Sendable, Hashable {
    public let path: String
    public let byteCount: Int
    /// Such as "llama".
    public let architecture: String
    /// `general.name`, else the file's name without its extension.
    public let name: String
    /// Tokens the model was trained to attend to.
    public let contextLength: Int
    public let vocabularySize: Int
    public let parameterCount: Int
    /// Such as "Q4_1"; `nil` if the file does not say.
    public let quantization: String?
    /// How its tokenizer treats texts, as far as llama.cpp does not know.
    public let tokenizer: TokenizerTraits
    /// The default Jinja chat template; `nil` if there is none.
    public let chatTemplate: String?
    /// SHA-256 over all `tokenizer.*` metadata in hexadecimal digits, independent of their order in the file.
    public let tokenizerSHA256: String
    /// Whether all weights have 32 bits; then keys and values have, too, since rounding them would be what limits precision.
    public let hasFullPrecision: Bool
    /// Bytes that the keys and values of one token take in a context, estimated from the shapes.
    public let cacheBytesPerToken: Int
    /// Attention heads of the layer that has most.
    public let headCount: Int
    /// The context length up to which rotary frequencies are taken from the short table, where there are two tables.
    public let longRopeThreshold: Int?

    /// Why what is computed beside a request may change its numbers on a CPU, whatever is done against it; `nil` if nothing is
    /// known to.
    public let strictProblem: String?

    /// Reads and checks the file at `path`; no tensor data are read.
    public init(path: String) throws(LlamaError) {
        var reader = try FileReader(path: path)
        try Self.checkHeader(&reader)
        let tensorCount = try reader.count(of: "tensors", limit: GGUFLimits.tensors)
        let metadata = try GGUFMetadata(&reader)
        let tensors = try reader.tensors(count: tensorCount, alignment: try metadata.alignment())

        self.path = path
        self.byteCount = reader.size
        self.architecture = try metadata.requiredString("general.architecture")
        self.name = metadata.string("general.name").flatMap { $0.isEmpty ? nil : $0 } ?? Self.fileName(path)
        self.vocabularySize = try metadata.checkedVocabularySize()
        let shape = try ModelShape(metadata, architecture: self.architecture)
        self.contextLength = shape.contextLength
        self.cacheBytesPerToken = shape.cacheBytesPerToken
        self.headCount = shape.headCount
        self.longRopeThreshold = tensors.hasLongRopeFactors ? shape.originalContextLength : nil
        self.parameterCount = tensors.parameterCount
        self.strictProblem = Self.strictProblem(tensors, shape)
        self.quantization = metadata.quantization()
        self.hasFullPrecision = metadata.hasFullPrecision
        self.tokenizer = TokenizerTraits(metadata)
        self.chatTemplate = metadata.string("tokenizer.chat_template")
        self.tokenizerSHA256 = metadata.tokenizerSHA256()
    }

    /// What ggml computes in ways that depend on the rows of others: experts get as many rows as happen to be routed to them, and
    /// its kernels for most quantized weights change with the number; without vectors of 4, sums over keys and values do not keep to
    /// blocks of 16.
    private static func strictProblem(_ tensors: GGUFTensors, _ shape: ModelShape) -> String? {
        let sound = [GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0].map(\.rawValue)
        if let type = tensors.expertTypes.subtracting(sound).min() {
            let name = ggml_type_name(ggml_type(type)).map { String(cString: $0) } ?? "\(type)"
            return "its experts have \(name) weights (F32, F16, BF16, Q8_0 and Q4_0 will do)"
        }
        if let length = shape.headLengths.first(where: { $0 % 4 != 0 }) {
            return "its attention heads have \(length) values, no multiple of 4"
        }
        return nil
    }

    private static func checkHeader(_ reader: inout FileReader) throws(LlamaError) {
        let path = reader.path
        guard reader.size >= 24 else {
            throw LlamaError(.malformedFile, "\(path): is no GGUF file: it has only \(reader.size) bytes")
        }
        // "GGUF" in the file's byte order.
        guard try reader.integer(UInt32.self) == 0x4655_4747 else {
            throw LlamaError(
                .malformedFile, "\(path): is no GGUF file (it does not begin with \"GGUF\"); models are given as .gguf")
        }
        let version = try reader.integer(UInt32.self)
        guard version & 0xFFFF != 0 else {
            throw LlamaError(.unsupported, "\(path): is a big-endian GGUF file; convert it to little-endian")
        }
        guard version == 2 || version == 3 else {
            throw LlamaError(.unsupported, "\(path): is GGUF version \(version); versions 2 and 3 are supported")
        }
    }

    private static func fileName(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".gguf") ? String(name.dropLast(5)) : name
    }
}
