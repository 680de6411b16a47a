internal import CLlama
internal import Crypto

/// The metadata of a GGUF file, by key.
struct GGUFMetadata {
    let path: String
    private var values: [String: GGUFValue] = [:]
    /// The SHA-256 of type and value of every `tokenizer.*` key, as they stand in the file.
    private var tokenizerDigests: [String: [UInt8]] = [:]

    init(_ reader: inout FileReader) throws(LlamaError) {
        self.path = reader.path
        let count = try reader.count(of: "metadata entries", limit: GGUFLimits.metadataEntries)
        for _ in 0..<count {
            let key = try reader.string("a metadata key", limit: GGUFLimits.keyBytes)
            let isTokenizer = key.hasPrefix("tokenizer.")
            if isTokenizer { reader.startHash() }
            let value = try reader.value(key: key)
            if isTokenizer { self.tokenizerDigests[key] = reader.finishHash() }
            guard !key.isEmpty, self.values.updateValue(value, forKey: key) == nil else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: key \"\(key)\" is empty or there twice")
            }
        }
        if case .integer(let parts)? = self.values["split.count"], parts > 1 {
            throw LlamaError(
                .unsupported,
                "\(self.path): is one of \(parts) parts of a model; join them with llama-gguf-split --merge")
        }
    }

    subscript(key: String) -> GGUFValue? { self.values[key] }

    func string(_ key: String) -> String? {
        if case .string(let value)? = self.values[key] { value } else { nil }
    }

    func integer(_ key: String) -> Int? {
        if case .integer(let value)? = self.values[key] { value } else { nil }
    }

    func requiredString(_ key: String) throws(LlamaError) -> String {
        guard let value = self.string(key), !value.isEmpty else {
            throw LlamaError(.malformedFile, "\(self.path): is no model: the metadata have no text under \(key)")
        }
        return value
    }

    /// An integer that must be there, within `range`.
    func requiredInteger(_ key: String, in range: ClosedRange<Int>) throws(LlamaError) -> Int {
        guard let value = self.integer(key), range.contains(value) else {
            let found = self.values[key].map { "\($0)" } ?? "nothing"
            throw LlamaError(
                .malformedFile,
                "\(self.path): is no language model or damaged: \(key) must be an integer of "
                    + "\(range.lowerBound)...\(range.upperBound), found \(found)")
        }
        return value
    }

    /// What the data section and every tensor in it are aligned to.
    func alignment() throws(LlamaError) -> Int {
        guard let value = self.values["general.alignment"] else { return 32 }
        guard case .integer(let alignment) = value, (1...1 << 20).contains(alignment), alignment.nonzeroBitCount == 1
        else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: general.alignment is no power of two")
        }
        // llama.cpp maps tensors where they lie, and ends the process over one that begins elsewhere.
        guard alignment >= 32 else {
            throw LlamaError(
                .unsupported, "\(self.path): general.alignment is \(alignment); at least 32 is supported, the default")
        }
        return alignment
    }

    /// Whether all weights have 32 bits.
    var hasFullPrecision: Bool { self.integer("general.file_type") == Int(LLAMA_FTYPE_ALL_F32.rawValue) }

    func quantization() -> String? {
        guard let number = self.integer("general.file_type"), let raw = UInt32(exactly: number) else { return nil }
        return llama_ftype_name(llama_ftype(raw)).map { String(cString: $0) }
    }

    /// SHA-256 over key and digest of every `tokenizer.*` entry, in the order of the keys' bytes.
    func tokenizerSHA256() -> String {
        var hasher = SHA256()
        for key in self.tokenizerDigests.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            hasher.update(data: Array(key.utf8) + [0])
            hasher.update(data: self.tokenizerDigests[key] ?? [])
        }
        return hexadecimal(Array(hasher.finalize()))
    }
}
