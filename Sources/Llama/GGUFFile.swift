internal import CLlama
internal import CLlamaCalls
internal import Crypto
internal import Files

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

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

extension GGUFFile {
    /// The SHA-256 of the whole file at `path` in hexadecimal digits.
    ///
    /// It reads every byte: seconds per gigabyte.
    ///
    /// - Parameter sign: Called every few megabytes.
    public static func sha256(path: String, sign: () -> Void = {}) throws(LlamaError) -> String {
        try Self.stampedSHA256(path: path, sign: sign).sha256
    }

    /// The same, with the stamp that the file had while it was read.
    ///
    /// Throws `fileUnreadable` when the file changes meanwhile.
    public static func stampedSHA256(
        path: String, sign: () -> Void
    ) throws(LlamaError) -> (sha256: String, stamp: FileStamp) {
        var reader = try FileReader(path: path, bufferSize: 1 << 22)
        let stamp = FileStamp(try reader.status())
        reader.startHash()
        while reader.remaining > 0 {
            try reader.skip(min(reader.remaining, 1 << 26))
            sign()
        }
        let digest = reader.finishHash()
        guard FileStamp(try reader.status()) == stamp else {
            throw LlamaError(.fileUnreadable, "\(path): was changed while it was read; wait until it is complete")
        }
        return (digest.hexadecimal, stamp)
    }
}

/// What the file system says of a file, and says otherwise once somebody has written to it or put another in its place.
///
/// Two writes within one tick of the file system's clock (up to two seconds) can't be told apart, so a young stamp proves
/// nothing. What a process writes through a shared mapping may show late.
public struct FileStamp: Sendable, Hashable {
    public let size: Int
    private let device: UInt64
    private let inode: UInt64
    private let modified: Time
    private let changed: Time

    private struct Time: Hashable {
        var seconds: Int
        var nanoseconds: Int

        init(_ time: timespec) {
            self.seconds = Int(time.tv_sec)
            self.nanoseconds = Int(time.tv_nsec)
        }
    }

    /// The stamp of the file at `path` as it is now.
    ///
    /// The file is opened for it: a network file system asks its server then, and may answer from memory otherwise.
    public init(path: String) throws(LlamaError) {
        let reader = try FileReader(path: path, bufferSize: 0)
        self.init(try reader.status())
    }

    init(_ status: stat) {
        self.size = Int(status.st_size)
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
        #if canImport(Darwin)
        self.modified = Time(status.st_mtimespec)
        self.changed = Time(status.st_ctimespec)
        #else
        self.modified = Time(status.st_mtim)
        self.changed = Time(status.st_ctim)
        #endif
    }

    /// The file was written so recently, by this machine's clock or a faster one's, that another write may not show.
    public var isYoung: Bool { time(nil) - max(self.modified.seconds, self.changed.seconds) < 3 }
}

/// The sizes of a model that decide about memory.
struct ModelShape {
    let contextLength: Int
    /// The length before the model was stretched to a longer context, where the file says so.
    let originalContextLength: Int?
    let cacheBytesPerToken: Int
    /// Attention heads of the layer that has most, 1...65536.
    let headCount: Int
    /// The lengths of a head's keys and values.
    let headLengths: Set<Int>

    init(_ metadata: GGUFMetadata, architecture: String) throws(LlamaError) {
        let layers = try metadata.requiredInteger("\(architecture).block_count", in: 1...GGUFLimits.layers)
        let width = try metadata.requiredInteger("\(architecture).embedding_length", in: 1...1 << 20)
        self.contextLength = try metadata.requiredInteger("\(architecture).context_length", in: 1...1 << 30)
        self.originalContextLength = metadata.integer("\(architecture).rope.scaling.original_context_length")

        try metadata.checkAssertions(architecture: architecture, layers: layers)
        let heads = Self.perLayer(metadata["\(architecture).attention.head_count"], layers: layers)
        // Without key-value heads of their own, every head has keys and values.
        let cacheHeads = Self.perLayer(metadata["\(architecture).attention.head_count_kv"], layers: layers) ?? heads
        var bytes = 0
        var lengths = Set(
            ["key_length_mla", "value_length_mla", "key_length_swa", "value_length_swa"].compactMap {
                metadata.integer("\(architecture).attention.\($0)")
            })
        for layer in 0..<layers {
            let headCount = min(max(heads?[layer] ?? 1, 1), width)
            let keyLength = metadata.integer("\(architecture).attention.key_length") ?? width / headCount
            let valueLength = metadata.integer("\(architecture).attention.value_length") ?? width / headCount
            guard (1...1 << 20).contains(keyLength), (1...1 << 20).contains(valueLength) else {
                throw LlamaError(.malformedFile, "\(metadata.path): is damaged: keys or values have no sound length")
            }
            lengths.formUnion([keyLength, valueLength])
            let cacheHeadCount = min(max(cacheHeads?[layer] ?? headCount, 0), 1 << 16)
            bytes += cacheHeadCount * (keyLength + valueLength) * (metadata.hasFullPrecision ? 4 : 2)
        }
        self.headLengths = lengths
        self.headCount = min(max(heads?.max() ?? 1, 1), 1 << 16)
        // Hostile shapes must not overflow what is computed from this.
        self.cacheBytesPerToken = min(max(bytes, 1), 1 << 32)
    }

    /// One number for each layer, whether the file gives one for all or a list; `nil` if it gives none.
    static func perLayer(_ value: GGUFValue?, layers: Int) -> [Int]? {
        switch value {
        case .integer(let one)?: [Int](repeating: one, count: layers)
        case .array(_, _, let integers)? where integers.count == layers: integers
        default: nil
        }
    }
}

/// What is kept of a file's tensors.
struct GGUFTensors: Sendable, Hashable {
    var count = 0
    var parameterCount = 0
    /// Whether rotary frequencies come in a long and a short variant, chosen by the context's size.
    var hasLongRopeFactors = false
    /// The types of experts' weights, as ggml counts them.
    var expertTypes: Set<UInt32> = []
}

extension FileReader {
    /// Reads the descriptions of all tensors and checks that their data lie within the file.
    mutating func tensors(count: Int, alignment: Int) throws(LlamaError) -> GGUFTensors {
        var result = GGUFTensors(count: count)
        var names: Set<String> = []
        // The offsets are relative to the data section, which begins after the last description.
        var extents: [(name: String, end: Int)] = []
        for _ in 0..<count {
            let name = try self.string("a tensor's name", limit: GGUFLimits.tensorNameBytes)
            guard names.insert(name).inserted else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) is there twice")
            }
            let (elements, bytes, type) = try self.shape(of: name)
            if name.contains("exps") { result.expertTypes.insert(type) }
            let offset = try self.integer(UInt64.self)
            let end = offset.addingReportingOverflow(UInt64(bytes))
            guard offset % UInt64(alignment) == 0, !end.overflow, end.partialValue <= UInt64(Int.max) else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) has the offset \(offset)")
            }
            extents.append((name, Int(end.partialValue)))
            let total = result.parameterCount.addingReportingOverflow(elements)
            guard !total.overflow else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: too many parameters at tensor \(name)")
            }
            result.parameterCount = total.partialValue
            if name.hasPrefix("rope_factors_long") { result.hasLongRopeFactors = true }
        }
        let dataStart = (self.offset + alignment - 1) / alignment * alignment
        for (name, end) in extents where end > self.size - dataStart {
            throw LlamaError(
                .malformedFile,
                "\(self.path): is truncated or damaged: tensor \(name) ends at offset \(dataStart) + \(end), "
                    + "but the file ends at \(self.size); get the file again")
        }
        return result
    }

    /// Elements and bytes of a tensor, from its dimensions and type.
    private mutating func shape(of name: String) throws(LlamaError) -> (elements: Int, bytes: Int, type: UInt32) {
        let rank = try self.integer(UInt32.self)
        guard rank <= UInt32(GGUFLimits.dimensions) else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) has \(rank) dimensions")
        }
        var elements = 1
        var rowLength = 1
        for dimension in 0..<rank {
            let length = try self.integer(UInt64.self)
            let product = elements.multipliedReportingOverflow(by: Int(clamping: length))
            guard length > 0, !product.overflow, product.partialValue < Int.max / 16 else {
                throw LlamaError(
                    .malformedFile, "\(self.path): is damaged: tensor \(name) has the length \(length) in a dimension")
            }
            elements = product.partialValue
            if dimension == 0 { rowLength = elements }
        }
        let rawType = try self.integer(UInt32.self)
        guard rawType < GGML_TYPE_COUNT.rawValue else {
            throw LlamaError(
                .unsupported, "\(self.path): tensor \(name) has the type \(rawType), unknown to \(LlamaBackend.build)")
        }
        let type = ggml_type(rawType)
        let blockLength = Int(ggml_blck_size(type))
        guard blockLength > 0, rowLength % blockLength == 0 else {
            throw LlamaError(
                .malformedFile, "\(self.path): is damaged: the rows of tensor \(name) do not fit the type \(rawType)")
        }
        // llama.cpp checks shapes, not types: it has no code for these, and ends the process when it computes.
        guard rank > 1 || type == GGML_TYPE_F32 else {
            throw LlamaError(
                .unsupported, "\(self.path): the vector \(name) has the type \(rawType); vectors have 32-bit floats")
        }
        guard ggml_get_type_traits_cpu(type)?.pointee.vec_dot != nil || name.contains("tid2eid") else {
            throw LlamaError(
                .unsupported, "\(self.path): llama.cpp can't multiply the type \(rawType), which tensor \(name) has")
        }
        let bytes = (elements / blockLength).multipliedReportingOverflow(by: ggml_type_size(type))
        guard !bytes.overflow else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) is too large")
        }
        return (elements, bytes.partialValue, rawType)
    }
}

/// How a model's weights are kept.
public enum WeightType: String, Sendable, Hashable, CaseIterable {
    case f32
    case f16
    case bf16
    case q8_0
    case q4_0
    case q4_1
    case q4_k_m
    case q6_k

    fileprivate var fileType: llama_ftype {
        switch self {
        case .f32: LLAMA_FTYPE_ALL_F32
        case .f16: LLAMA_FTYPE_MOSTLY_F16
        case .bf16: LLAMA_FTYPE_MOSTLY_BF16
        case .q8_0: LLAMA_FTYPE_MOSTLY_Q8_0
        case .q4_0: LLAMA_FTYPE_MOSTLY_Q4_0
        case .q4_1: LLAMA_FTYPE_MOSTLY_Q4_1
        case .q4_k_m: LLAMA_FTYPE_MOSTLY_Q4_K_M
        case .q6_k: LLAMA_FTYPE_MOSTLY_Q6_K
        }
    }
}

extension GGUFFile {
    /// Writes this model with weights of another type to `path`; llama.cpp keeps some of them in other types, where they do not
    /// fill its blocks.
    public func write(to path: String, as type: WeightType, threads: Int) throws(LlamaError) {
        LlamaBackend.started
        let ((isDone, failure), complaints) = LogRouter.shared.capturing {
            llamaCall { cllama_quantize(self.path, path, Int32(type.fileType.rawValue), Int32(threads), &$0) }
        }
        guard isDone else {
            let reasons = complaints + (failure.map { [$0] } ?? [])
            let reason = reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
            throw LlamaError(
                .loadFailed,
                "\(self.path): llama.cpp can't write it with \(type.rawValue) weights to \(path): \(reason)")
        }
    }
}
