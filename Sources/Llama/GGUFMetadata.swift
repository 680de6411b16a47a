internal import CLlama
internal import Crypto
internal import Files
internal import Foundation

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
        return hasher.finalize().hexadecimal
    }
}

extension GGUFMetadata {
    /// Refuses what llama.cpp answers by aborting the process, instead of an error, whatever the architecture.
    func checkAssertions(architecture: String, layers: Int) throws(LlamaError) {
        let predicted = self.integer("\(architecture).nextn_predict_layers") ?? 0
        try self.require(
            0...layers ~= predicted, "\(architecture).nextn_predict_layers is \(predicted) of \(layers) layers")

        if let scaling = self["\(architecture).rope.scaling.type"] {
            let known: [GGUFValue] = ["none", "linear", "yarn", "longrope"].map { .string($0) }
            try self.require(known.contains(scaling), "\(architecture).rope.scaling.type is unknown")
        }
        for name in ["layer_norm_epsilon", "layer_norm_rms_epsilon", "group_norm_epsilon"] {
            guard case .real(let epsilon)? = self["\(architecture).attention.\(name)"] else { continue }
            try self.require(epsilon >= 0, "\(architecture).attention.\(name) is \(epsilon)")
        }
        guard self["\(architecture).attention.causal"] != .boolean(false) else {
            throw LlamaError(
                .unsupported,
                "\(self.path): tokens see what comes after them (\(architecture).attention.causal is false); only decoders "
                    + "are supported")
        }
        try self.checkExperts(architecture: architecture, layers: layers)
    }

    private func checkExperts(architecture: String, layers: Int) throws(LlamaError) {
        let experts = self.integer("\(architecture).expert_count") ?? 0
        let usedValue = self["\(architecture).expert_used_count"]
        let usedPerLayer = ModelShape.perLayer(usedValue, layers: layers)
        try self.require(
            usedValue == nil || usedPerLayer != nil, "\(architecture).expert_used_count is no number for each layer")
        let used = usedPerLayer?.max() ?? 0
        let groups = self.integer("\(architecture).expert_group_count") ?? 0
        let usedGroups = self.integer("\(architecture).expert_group_used_count") ?? 0
        guard experts != 0 else {
            return try self.require(used == 0 && groups == 0, "there are no experts, yet \(used) are used")
        }
        try self.require(1...1024 ~= experts && 1...experts ~= used, "\(used) of \(experts) experts are used")
        try self.require(0..<experts ~= groups, "\(experts) experts form \(groups) groups")
        guard groups > 1 else { return }
        try self.require(
            experts % groups == 0 && 1..<groups ~= usedGroups,
            "\(usedGroups) of \(groups) groups of \(experts) experts are used")
    }

    private func require(_ isSound: Bool, _ finding: String) throws(LlamaError) {
        guard isSound else { throw LlamaError(.malformedFile, "\(self.path): is damaged: \(finding)") }
    }
}

extension GGUFMetadata {
    static let tokensKey = "tokenizer.ggml.tokens"
    /// Those of encoders, and of models and tests without a vocabulary: llama.cpp ends the process when they are asked.
    private static let otherTokenizers: Set = ["bert", "no_vocab", "none", "test"]

    /// The number of tokens, after checking that the vocabulary's arrays are of one length.
    ///
    /// llama.cpp reads scores and types by the index of the token without looking at their lengths.
    func checkedVocabularySize() throws(LlamaError) -> Int {
        guard case .array(type: .string, let count, _)? = self[Self.tokensKey], count > 0 else {
            throw LlamaError(
                .unsupported, "\(self.path): has no vocabulary (\(Self.tokensKey) is missing, empty or no texts)")
        }
        let kind = try self.requiredString("tokenizer.ggml.model")
        guard !Self.otherTokenizers.contains(kind) else {
            throw LlamaError(
                .unsupported,
                "\(self.path): the tokenizer \"\(kind)\" is not one of a decoder; only decoders are supported")
        }
        let companions: [(key: String, types: Set<GGUFType>)] = [
            ("tokenizer.ggml.scores", [.float32]), ("tokenizer.ggml.token_type", [.int32, .uint32]),
        ]
        for (key, types) in companions {
            guard let value = self[key] else { continue }
            guard case .array(let type, let length, _) = value, types.contains(type), length == count else {
                throw LlamaError(
                    .malformedFile,
                    "\(self.path): is damaged: \(key) does not have one number for each of \(count) tokens")
            }
        }
        if let merges = self["tokenizer.ggml.merges"] {
            guard case .array(type: .string, _, _) = merges else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: tokenizer.ggml.merges are no texts")
            }
        }
        return count
    }
}

/// The types of metadata values, numbered as in the file.
enum GGUFType: UInt32, Sendable {
    case uint8 = 0
    case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of one value; `nil` for strings and arrays.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }
}

/// A metadata value; of long arrays only type and length are kept.
enum GGUFValue: Sendable, Hashable {
    case integer(Int)
    case real(Double)
    case boolean(Bool)
    case string(String)
    /// `integers` is empty for other types and for arrays longer than `GGUFLimits.keptElements`.
    case array(type: GGUFType, count: Int, integers: [Int])
}

extension FileReader {
    mutating func value(key: String) throws(LlamaError) -> GGUFValue {
        let type = try self.type(key: key)
        guard type == .array else { return try self.value(type, key: key) }

        let element = try self.type(key: key)
        guard element != .array else {
            throw LlamaError(.malformedFile, "\(self.path): key \(key) holds arrays of arrays, which llama.cpp rejects")
        }
        let count = try self.count(of: "elements of \(key)", limit: GGUFLimits.arrayElements)
        guard let size = element.size else {
            if key == GGUFMetadata.tokensKey { return try self.vocabulary(count: count) }
            for _ in 0..<count { try self.skipString("an element of \(key)") }
            return .array(type: element, count: count, integers: [])
        }
        guard element.isInteger, count <= GGUFLimits.keptElements else {
            try self.skip(size * count)
            return .array(type: element, count: count, integers: [])
        }
        var integers: [Int] = []
        integers.reserveCapacity(count)
        for _ in 0..<count {
            if case .integer(let integer) = try self.value(element, key: key) { integers.append(integer) }
        }
        return .array(type: element, count: count, integers: integers)
    }

    /// Reads the texts of all tokens: llama.cpp aborts the process if two are equal.
    private mutating func vocabulary(count: Int) throws(LlamaError) -> GGUFValue {
        var known: Set<[UInt8]> = []
        for token in 0..<count {
            // llama.cpp reads up to the first zero byte, and names tokens without a text like this.
            let text = try self.text("token \(token)", limit: GGUFLimits.stringBytes).prefix { $0 != 0 }
            guard known.insert(text.isEmpty ? Array("[EMPTY_\(token)]".utf8) : Array(text)).inserted else {
                throw LlamaError(
                    .malformedFile,
                    "\(self.path): is damaged: token \(token), \"\(String(decoding: text, as: UTF8.self))\", "
                        + "is there twice")
            }
        }
        return .array(type: .string, count: count, integers: [])
    }

    private mutating func type(key: String) throws(LlamaError) -> GGUFType {
        let raw = try self.integer(UInt32.self)
        guard let type = GGUFType(rawValue: raw) else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: key \(key) has the unknown type \(raw)")
        }
        return type
    }

    private mutating func value(_ type: GGUFType, key: String) throws(LlamaError) -> GGUFValue {
        switch type {
        case .uint8: .integer(Int(try self.integer(UInt8.self)))
        case .int8: .integer(Int(try self.integer(Int8.self)))
        case .uint16: .integer(Int(try self.integer(UInt16.self)))
        case .int16: .integer(Int(try self.integer(Int16.self)))
        case .uint32: .integer(Int(try self.integer(UInt32.self)))
        case .int32: .integer(Int(try self.integer(Int32.self)))
        case .uint64: .integer(Int(clamping: try self.integer(UInt64.self)))
        case .int64: .integer(Int(try self.integer(Int64.self)))
        case .float32: .real(Double(Float(bitPattern: try self.integer(UInt32.self))))
        case .float64: .real(Double(bitPattern: try self.integer(UInt64.self)))
        case .bool: .boolean(try self.integer(UInt8.self) != 0)
        case .string: .string(try self.string("the value of \(key)", limit: GGUFLimits.stringBytes))
        case .array:
            throw LlamaError(.malformedFile, "\(self.path): key \(key) holds arrays of arrays, which llama.cpp rejects")
        }
    }
}

extension GGUFType {
    fileprivate var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        case .float32, .float64, .bool, .string, .array: false
        }
    }
}

/// How the tokenizer that a model was published with treats texts, where a GGUF file does not say it in so many words.
///
/// Files name their tokenizer's rules for splitting words (`tokenizer.ggml.pre`), and that name stands for a family, whose
/// normalizer and decoder are known from the classes of Hugging Face's transformers and from their files.
public struct TokenizerTraits: Sendable, Hashable {
    /// What tokens are written in.
    private enum Alphabet: Sendable, Hashable {
        /// SentencePiece: words begin with ▁, bytes are tokens of their own.
        case sentencePiece
        /// Letters that stand for bytes each, as in GPT-2.
        case byteLevel
        case other
    }

    /// Those whose tokenizer.json has the normalizer NFC.
    private static let normalizingFamilies: Set = ["command-r", "mpt", "olmo", "qwen2", "qwen35"]
    /// Those whose tokenizer has no BOS, although the model's own configuration names one, which converters copy.
    private static let familiesWithoutBeginning: Set = ["qwen2", "qwen35"]

    private let alphabet: Alphabet
    private let normalizes: Bool
    /// Whether a space stands before a text's first word in tokens that no text shows.
    let dropsFirstSpace: Bool
    /// Whether the file's BOS is the tokenizer's own.
    let hasBeginning: Bool
    /// Likewise of EOS.
    let hasEnd: Bool
    let unknownToken: Int32?
    /// Why tokens may be other ones than those of the model's own tokenizer; `nil` if nothing speaks for it.
    public let doubt: String?
    /// What is known of the model and not in the file's own words; for people to read.
    public let notes: [String]

    init(_ metadata: GGUFMetadata) {
        let kind = metadata.string("tokenizer.ggml.model") ?? ""
        let family = metadata.string("tokenizer.ggml.pre") ?? ""
        let addsBeginning = metadata["tokenizer.ggml.add_bos_token"] == .boolean(true)
        self.alphabet =
            switch kind {
            case "llama", "gemma4": .sentencePiece
            case "gpt2": .byteLevel
            default: .other
            }
        self.normalizes = self.alphabet == .byteLevel && Self.normalizingFamilies.contains(family)
        self.dropsFirstSpace = kind == "llama" && metadata["tokenizer.ggml.add_space_prefix"] != .boolean(false)
        self.unknownToken =
            metadata.integer("tokenizer.ggml.unknown_token_id").flatMap { Int32(exactly: $0) }
            ?? (kind == "llama" ? 0 : nil)

        let isForeign =
            self.alphabet == .byteLevel && !addsBeginning && Self.familiesWithoutBeginning.contains(family)
        // llama.cpp takes token 11 where the file names none.
        func lacks(_ key: String) -> Bool { kind == "gpt2" && metadata.integer("tokenizer.ggml.\(key)") == nil }
        let isMissing = lacks("bos_token_id")
        self.hasEnd = !lacks("eos_token_id")
        self.hasBeginning = !isForeign && !isMissing
        self.notes =
            isForeign && !isMissing
            ? [
                "tokenizers of the family \(family) have no BOS, so EOS stands before texts without a context, as in lm-eval; "
                    + "`prefix_token` in a job's settings takes another one"
            ] : []
        self.doubt =
            if self.alphabet != .byteLevel {
                nil
            } else if family.isEmpty {
                "the file does not say how its tokenizer splits words (tokenizer.ggml.pre is missing), so llama.cpp guesses, and "
                    + "scores may be those of other tokens; convert the model again with a present convert_hf_to_gguf.py"
            } else if family == "default" {
                "the file's tokenizer was unknown to the program that converted it (tokenizer.ggml.pre is \"default\"), so llama.cpp "
                    + "guesses how it splits words, and scores may be those of other tokens; convert the model again with a "
                    + "present convert_hf_to_gguf.py"
            } else {
                nil
            }
    }

    /// `text` as the tokenizer sees it.
    ///
    /// - Parameter isComposed: whether in Unicode's form NFC; `nil` for what is known of the family.
    func normalized(_ text: Substring, isComposed: Bool?) -> String {
        // Below U+0300 there is nothing to compose: a first byte of 0xCC is the least that can change a text.
        guard isComposed ?? self.normalizes, text.utf8.contains(where: { $0 >= 0xCC }) else { return String(text) }
        return String(text).precomposedStringWithCanonicalMapping
    }

    /// Whether a byte that is no whole character is a token, shown as one.
    var writesBytesAsTokens: Bool { self.alphabet == .sentencePiece }

    /// The bytes of a token that is written in letters for bytes; `nil` in other alphabets.
    func aliasedBytes(_ name: String) -> [UInt8]? {
        guard self.alphabet == .byteLevel else { return nil }
        var bytes: [UInt8] = []
        for scalar in name.unicodeScalars {
            // A token with another letter is no word of the alphabet, but a text of its own.
            guard let byte = Self.byte(of: scalar) else { return Array(name.utf8) }
            bytes.append(byte)
        }
        return bytes
    }

    /// GPT-2's alphabet: printable characters of Latin-1 are themselves, the other 68 bytes begin at U+0100, in their order.
    private static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        switch scalar.value {
        case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: UInt8(scalar.value)
        case 0x100...0x120: UInt8(scalar.value - 0x100)
        case 0x121...0x142: UInt8(scalar.value - 0x121 + 0x7F)
        case 0x143: 0xAD
        default: nil
        }
    }
}
