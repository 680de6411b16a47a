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
