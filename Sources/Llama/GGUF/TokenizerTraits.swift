internal import CLlama
internal import Foundation

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
