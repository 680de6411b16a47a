internal import CLlama

/// The vocabulary of a model: text to token ids and back.
///
/// It keeps its model in memory and may be used from any thread.
public struct Vocabulary: Sendable {
    private let model: ModelHandle

    /// Safety: belongs to `model` and is only read.
    private nonisolated(unsafe) let pointer: OpaquePointer

    /// The number of tokens; ids are 0..<count.
    public let count: Int
    /// Beginning of text; `nil` if there is none.
    public let beginningOfText: Int32?
    /// End of text; `nil` if there is none.
    public let endOfText: Int32?
    /// End of a turn in a conversation; `nil` if there is none.
    public let endOfTurn: Int32?
    /// Whether `beginningOfText` is put before a text by default.
    public let addsBeginningOfText: Bool
    /// Whether `endOfText` is put behind a text by default.
    public let addsEndOfText: Bool

    /// Texts are handed to llama.cpp in pieces of at most this many bytes, far beyond any prompt.
    private static let longestText = 1 << 30

    init(_ model: ModelHandle) {
        let pointer = llama_model_get_vocab(model.pointer)!
        self.model = model
        self.pointer = pointer
        self.count = Int(llama_vocab_n_tokens(pointer))
        func token(_ id: llama_token) -> Int32? { id == LLAMA_TOKEN_NULL ? nil : id }
        self.beginningOfText = token(llama_vocab_bos(pointer))
        self.endOfText = token(llama_vocab_eos(pointer))
        self.endOfTurn = token(llama_vocab_eot(pointer))
        self.addsBeginningOfText = llama_vocab_get_add_bos(pointer)
        self.addsEndOfText = llama_vocab_get_add_eos(pointer)
    }

    /// Whether a token is a mark that no text shows, and does not end one either.
    func isHidden(_ token: Int32) -> Bool {
        llama_vocab_is_control(self.pointer, token) && !llama_vocab_is_eog(self.pointer, token)
    }

    /// A sampler that lets pass what a grammar allows; `nil` if llama.cpp can't parse it.
    func grammarSampler(_ grammar: String) -> UnsafeMutablePointer<llama_sampler>? {
        llama_sampler_init_grammar(self.pointer, grammar, "root")
    }

    /// The token ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecial: also adds what the vocabulary adds by default, such as beginning of text.
    ///   - readSpecial: special tokens written in the text are recognised.
    public func tokenize(_ text: String, addSpecial: Bool, readSpecial: Bool = false) -> [Int32] {
        var text = text
        return text.withUTF8 { bytes in
            var result: [Int32] = []
            var start = 0
            repeat {
                let piece = UnsafeBufferPointer(rebasing: bytes[start..<min(bytes.count, start + Self.longestText)])
                result += self.tokenize(piece, addSpecial && start == 0, readSpecial)
                start += piece.count
            } while start < bytes.count
            return result
        }
    }

    private func tokenize(
        _ bytes: UnsafeBufferPointer<UInt8>, _ addSpecial: Bool, _ readSpecial: Bool
    ) -> [Int32] {
        // A token is rarely shorter than a byte; where it is, llama.cpp says how much room it needs.
        var capacity = bytes.count + 4
        while true {
            var needed = 0
            let tokens = [Int32](unsafeUninitializedCapacity: capacity) { room, count in
                let written = bytes.withMemoryRebound(to: CChar.self) { text in
                    llama_tokenize(
                        self.pointer, text.baseAddress, Int32(text.count), room.baseAddress, Int32(capacity),
                        addSpecial, readSpecial)
                }
                needed = Int(written)
                count = max(Int(written), 0)
            }
            if needed >= 0 { return tokens }
            capacity = -needed
        }
    }

    /// The bytes of one token; empty for control tokens and for ids outside the vocabulary.
    ///
    /// A token need not hold whole characters.
    public func piece(_ token: Int32) -> [UInt8] {
        guard (0..<Int32(clamping: self.count)).contains(token) else { return [] }
        var capacity = 64
        while true {
            var needed = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { room, count in
                let written = room.withMemoryRebound(to: CChar.self) {
                    llama_token_to_piece(self.pointer, token, $0.baseAddress, Int32($0.count), 0, false)
                }
                needed = Int(written)
                count = max(Int(written), 0)
            }
            if needed >= 0 { return bytes }
            capacity = -needed
        }
    }

    /// The text of `tokens`, without control tokens; invalid UTF-8 is replaced by U+FFFD.
    public func detokenize(_ tokens: some Sequence<Int32>) -> String {
        String(decoding: tokens.flatMap { self.piece($0) }, as: UTF8.self)
    }

    /// Whether the model ends its output with this token: end of text, end of turn and the like.
    public func endsGeneration(_ token: Int32) -> Bool {
        (0..<Int32(clamping: self.count)).contains(token) && llama_vocab_is_eog(self.pointer, token)
    }

    /// What the file calls the token, such as "Ġthe" or "<|im_end|>"; for display.
    public func name(_ token: Int32) -> String {
        guard (0..<Int32(clamping: self.count)).contains(token), let text = llama_vocab_get_text(self.pointer, token)
        else { return "?" }
        return String(cString: text)
    }
}
