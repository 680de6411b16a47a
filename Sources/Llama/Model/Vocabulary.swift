internal import CLlama
internal import CLlamaCalls

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

    /// Bytes of the longest text: llama.cpp's tokenizers need up to a kilobyte of stack for each of them.
    private static let longestText = 1 << 26

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
        llamaCall { cllama_grammar(UnsafeRawPointer(self.pointer), grammar, &$0) }.value?
            .assumingMemoryBound(to: llama_sampler.self)
    }

    /// The token ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecial: also adds what the vocabulary adds by default, such as beginning of text.
    ///   - readSpecial: special tokens written in the text are recognized.
    /// - Throws: `LlamaError` of code `limitExceeded` for a text that is too long, or that llama.cpp can't split.
    public func tokenize(
        _ text: String, addSpecial: Bool, readSpecial: Bool = false
    ) throws(LlamaError) -> [Int32] {
        var text = text
        let outcome: Result<[Int32], LlamaError> = text.withUTF8 { bytes in
            do throws(LlamaError) {
                return .success(try self.tokenize(bytes, addSpecial, readSpecial))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func tokenize(
        _ bytes: UnsafeBufferPointer<UInt8>, _ addSpecial: Bool, _ readSpecial: Bool
    ) throws(LlamaError) -> [Int32] {
        guard bytes.count <= Self.longestText else {
            throw LlamaError(
                .limitExceeded,
                "a text of \(bytes.count) bytes can't be tokenized; at most \(Self.longestText) bytes can")
        }
        // A token is rarely shorter than a byte; where it is, llama.cpp says how much room it needs.
        var capacity = bytes.count + 4
        while true {
            var needed = Int32.min
            var failure: String?
            let tokens = [Int32](unsafeUninitializedCapacity: capacity) { room, count in
                (needed, failure) = bytes.withMemoryRebound(to: CChar.self) { text in
                    llamaCall {
                        cllama_tokenize(
                            UnsafeRawPointer(self.pointer), text.baseAddress, Int32(text.count), room.baseAddress,
                            Int32(room.count), addSpecial, readSpecial, &$0)
                    }
                }
                count = max(Int(needed), 0)
            }
            if needed >= 0 { return tokens }
            guard needed > Int32.min, -Int(needed) > capacity else {
                throw LlamaError(
                    .limitExceeded, "a text of \(bytes.count) bytes can't be tokenized: \(failure ?? "it is too long")")
            }
            capacity = -Int(needed)
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
