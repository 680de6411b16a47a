internal import Foundation

/// A llama model with random weights that is made anew for a test: of any vocabulary and context, and as wrong as asked for.
public struct TinyModel: Sendable {
    public var vocabulary = 320
    public var contextLength = 512
    public var width = 16
    public var heads = 2
    public var layers = 1
    /// Changes what the file says.
    public var change: @Sendable (inout GGUFBuilder) -> Void

    public init(
        vocabulary: Int = 320, contextLength: Int = 512, width: Int = 16, heads: Int = 2, layers: Int = 1,
        change: @escaping @Sendable (inout GGUFBuilder) -> Void = { _ in }
    ) {
        self.vocabulary = vocabulary
        self.contextLength = contextLength
        self.width = width
        self.heads = heads
        self.layers = layers
        self.change = change
    }

    /// Writes the file into the temporary folder, or into `folder`; the caller removes it.
    ///
    /// - Returns: its path.
    public func write(to folder: String? = nil) throws -> String {
        let place = folder.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory
        let url = place.appending(path: "assay-\(UUID().uuidString).gguf")
        try Data(self.builder().bytes()).write(to: url)
        return url.path
    }

    /// The file before it is written.
    public func builder() -> GGUFBuilder {
        var builder = GGUFBuilder()
        builder.metadata = [
            ("general.architecture", .string("llama")), ("general.name", .string("made")),
            // All weights have 32 bits.
            ("general.file_type", .uint32(0)), ("llama.block_count", .uint32(UInt32(self.layers))),
            ("llama.embedding_length", .uint32(UInt32(self.width))),
            ("llama.context_length", .uint32(UInt32(self.contextLength))),
            ("llama.feed_forward_length", .uint32(UInt32(self.width * 2))),
            ("llama.attention.head_count", .uint32(UInt32(self.heads))),
            ("llama.attention.head_count_kv", .uint32(UInt32(self.heads))),
            ("llama.attention.layer_norm_rms_epsilon", .float(1e-5)),
            ("llama.rope.dimension_count", .uint32(UInt32(self.width / self.heads))),
            ("llama.vocab_size", .uint32(UInt32(self.vocabulary))), ("tokenizer.ggml.model", .string("gpt2")),
            ("tokenizer.ggml.pre", .string("gpt-2")), ("tokenizer.ggml.tokens", .strings(self.tokens)),
            ("tokenizer.ggml.token_type", .int32s([3, 3] + Array(repeating: 1, count: self.vocabulary - 2))),
            ("tokenizer.ggml.merges", .strings(["t h"])), ("tokenizer.ggml.bos_token_id", .uint32(0)),
            ("tokenizer.ggml.eos_token_id", .uint32(0)), ("tokenizer.ggml.add_bos_token", .bool(true)),
        ]
        builder.tensors = []
        builder.data = []
        let (width, inner) = (UInt64(self.width), UInt64(self.width * 2))
        Self.add("token_embd.weight", [width, UInt64(self.vocabulary)], to: &builder)
        Self.add("output_norm.weight", [width], to: &builder)
        for layer in 0..<self.layers {
            for name in ["attn_norm", "ffn_norm"] { Self.add("blk.\(layer).\(name).weight", [width], to: &builder) }
            for name in ["attn_q", "attn_k", "attn_v", "attn_output"] {
                Self.add("blk.\(layer).\(name).weight", [width, width], to: &builder)
            }
            for name in ["ffn_gate", "ffn_up"] {
                Self.add("blk.\(layer).\(name).weight", [width, inner], to: &builder)
            }
            Self.add("blk.\(layer).ffn_down.weight", [inner, width], to: &builder)
        }
        self.change(&builder)
        return builder
    }

    private static func add(_ name: String, _ dimensions: [UInt64], to builder: inout GGUFBuilder) {
        builder.tensors.append((name, dimensions, 0, UInt64(builder.data.count)))
        let count = Int(dimensions.reduce(1, *)) * 4
        // The same numbers again and again, which are quickly there, from another one on in each tensor.
        var left = count
        var part = Self.noise.dropFirst(builder.tensors.count * 256)
        while left > 0 {
            builder.data += part.prefix(left)
            left -= min(left, part.count)
            part = Self.noise[...]
        }
        builder.data += [UInt8](repeating: 0, count: (32 - count % 32) % 32)
    }

    /// The bytes of 16,381 numbers between -0.4 and 0.4: a prime, so that rows of a matrix differ.
    private static let noise: [UInt8] = {
        var state: UInt32 = 20_240_607
        var bytes: [UInt8] = []
        for _ in 0..<16_381 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let number = (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.8
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 }
        }
        return bytes
    }()

    /// Two marks, the alphabet of byte-level BPE, a merge, and made-up words.
    private var tokens: [String] {
        var tokens = ["<|endoftext|>", "<|im_end|>"]
        let printable = Set(Array(33...126) + Array(161...172) + Array(174...255))
        var extra: UInt32 = 256
        for byte in UInt32(0)...255 {
            let scalar = printable.contains(Int(byte)) ? byte : extra
            if scalar == extra { extra += 1 }
            tokens.append(String(Character(Unicode.Scalar(scalar) ?? " ")))
        }
        tokens.append("th")
        for number in 0..<max(0, self.vocabulary - tokens.count) { tokens.append("word\(number)") }
        return tokens
    }
}
