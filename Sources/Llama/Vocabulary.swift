internal import CLlama
internal import CLlamaCalls

/// The vocabulary of a model: text to token ids and back, as the model's own tokenizer does it.
///
/// llama.cpp splits ordinary text. What stands around that is done here, since its own way differs from that of the libraries
/// that models are published for: which special tokens a text holds, normalization, and the text of tokens.
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
    private let traits: TokenizerTraits
    private let specialTokens: SpecialTokenIndex
    /// See `endsGeneration`.
    private let endTokens: Set<Int32>

    /// Bytes of the longest text: llama.cpp's tokenizers need up to a kilobyte of stack for each of them.
    private static let longestText = 1 << 26

    init(_ model: ModelHandle, _ traits: TokenizerTraits) {
        let pointer = llama_model_get_vocab(model.pointer)!
        self.model = model
        self.pointer = pointer
        self.traits = traits
        let count = Int(llama_vocab_n_tokens(pointer))
        self.count = count
        func token(_ id: llama_token) -> Int32? { id == LLAMA_TOKEN_NULL ? nil : id }
        self.beginningOfText = traits.hasBeginning ? token(llama_vocab_bos(pointer)) : nil
        self.endOfText = traits.hasEnd ? token(llama_vocab_eos(pointer)) : nil
        self.endOfTurn = token(llama_vocab_eot(pointer))
        self.addsBeginningOfText = llama_vocab_get_add_bos(pointer)
        self.addsEndOfText = llama_vocab_get_add_eos(pointer)
        let ends = Set([self.endOfText, self.endOfTurn].compactMap { $0 })
        let special = SpecialTokenIndex(
            pointer, count: count, unknown: traits.unknownToken,
            named: ends.union([self.beginningOfText].compactMap { $0 }))
        self.specialTokens = special

        // llama.cpp also ends texts at marks that separate files in code, which models write on purpose, and at words that it
        // takes for marks.
        let separators = Set([
            llama_vocab_fim_pad(pointer), llama_vocab_fim_rep(pointer), llama_vocab_fim_sep(pointer),
        ]).subtracting(ends)
        self.endTokens = Set(
            (0..<Int32(clamping: count)).filter {
                llama_vocab_is_eog(pointer, $0) && !separators.contains($0) && special.isMark($0)
            })
    }

    /// Whether a token is a mark that no text shows, and does not end one either.
    func isHidden(_ token: Int32) -> Bool {
        llama_vocab_is_control(self.pointer, token) && !llama_vocab_is_eog(self.pointer, token)
    }

    /// Whether grammars take a token for the end of the text.
    public func endsGrammar(_ token: Int32) -> Bool {
        (0..<Int32(clamping: self.count)).contains(token) && llama_vocab_is_eog(self.pointer, token)
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
    ///   - readSpecial: special tokens written in the text are recognized; otherwise they are text like any other.
    ///   - prefixesFirstOnly: where the vocabulary puts a space before words, it does so at the beginning of the text alone,
    ///     and not where there is one; otherwise before each part of it between special tokens.
    ///   - composes: whether the text is brought into Unicode's form NFC first; `nil` for what is known of the tokenizer.
    /// - Throws: `LlamaError` of code `limitExceeded` for a text that is too long, or that llama.cpp can't split.
    public func tokenize(
        _ text: String, addSpecial: Bool, readSpecial: Bool = false, prefixesFirstOnly: Bool = false,
        composes: Bool? = nil
    ) throws(LlamaError) -> [Int32] {
        var text = text
        text.makeContiguousUTF8()
        guard text.utf8.count <= Self.longestText else {
            throw LlamaError(
                .limitExceeded,
                "a text of \(text.utf8.count) bytes can't be tokenized; at most \(Self.longestText) bytes can")
        }
        var tokens: [Int32] = []
        if addSpecial, self.addsBeginningOfText, let beginningOfText { tokens.append(beginningOfText) }
        for part in readSpecial ? self.specialTokens.parts(of: text) : [.text(text[...])] {
            switch part {
            case .token(let token): tokens.append(token)
            case .text(let part):
                let hasPrefix =
                    !prefixesFirstOnly
                    || part.startIndex == text.startIndex && !["▁", " "].contains(part.unicodeScalars.first)
                let part = self.traits.normalized(part, isComposed: composes)
                tokens +=
                    hasPrefix || !self.traits.dropsFirstSpace
                    ? try self.tokenize(part) : try self.tokenize(withoutPrefix: part)
            }
        }
        if addSpecial, self.addsEndOfText, let endOfText { tokens.append(endOfText) }
        return tokens
    }

    /// The token ids of a text that follows another one.
    ///
    /// llama.cpp always puts a space before the first word. After a line break, which no word of SentencePiece reaches over, it
    /// puts none.
    private func tokenize(withoutPrefix text: String) throws(LlamaError) -> [Int32] {
        let head = try self.tokenize("\n")
        let tokens = try self.tokenize("\n" + text)
        guard tokens.starts(with: head) else {
            throw LlamaError(.unsupported, "the model's vocabulary has words with line breaks; leave out space_prefix")
        }
        return Array(tokens.dropFirst(head.count))
    }

    /// The token ids of a text without special tokens.
    private func tokenize(_ text: String) throws(LlamaError) -> [Int32] {
        guard !text.isEmpty else { return [] }
        var text = text
        let outcome: Result<[Int32], LlamaError> = text.withUTF8 { bytes in
            do throws(LlamaError) {
                return .success(try self.tokenize(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func tokenize(_ bytes: UnsafeBufferPointer<UInt8>) throws(LlamaError) -> [Int32] {
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
                            Int32(room.count), false, false, &$0)
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

    /// The token that the file calls so, such as "<|im_end|>"; `nil` if there is none.
    public func token(named name: String) -> Int32? {
        self.specialTokens.token(named: name) ?? (0..<Int32(clamping: self.count)).first { self.name($0) == name }
    }

    /// The bytes of one token; empty for ids outside the vocabulary.
    ///
    /// A token need not hold whole characters.
    /// - Parameter showsSpecial: Special tokens are what the file calls them; otherwise they are empty.
    public func piece(_ token: Int32, showsSpecial: Bool = false) -> [UInt8] {
        guard (0..<Int32(clamping: self.count)).contains(token) else { return [] }
        if !showsSpecial, self.isSpecial(token) { return [] }
        if let bytes = self.traits.aliasedBytes(self.name(token)) { return bytes }
        var capacity = 64
        while true {
            var needed = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { room, count in
                let written = room.withMemoryRebound(to: CChar.self) {
                    llama_token_to_piece(self.pointer, token, $0.baseAddress, Int32($0.count), 0, true)
                }
                needed = Int(written)
                count = max(Int(written), 0)
            }
            if needed >= 0 { return bytes }
            capacity = -needed
        }
    }

    /// The bytes of the token that a text begins with.
    public func firstPiece(_ token: Int32, showsSpecial: Bool = false) -> [UInt8] {
        let piece = self.piece(token, showsSpecial: showsSpecial)
        return self.traits.dropsFirstSpace && piece.first == UInt8(ascii: " ") ? Array(piece.dropFirst()) : piece
    }

    /// The text of `tokens`, without special tokens; what is no UTF-8 is replaced by U+FFFD.
    public func detokenize(_ tokens: some Sequence<Int32>) -> String {
        var text = ""
        var bytes: [UInt8] = []
        func flush(perByte: Bool) {
            text +=
                perByte && String(validating: bytes, as: UTF8.self) == nil
                ? String(repeating: "\u{FFFD}", count: bytes.count) : String(decoding: bytes, as: UTF8.self)
            bytes = []
        }
        guard self.traits.writesBytesAsTokens else {
            bytes = tokens.flatMap { self.piece($0) }
            flush(perByte: false)
            return text
        }
        // Bytes are tokens of their own between others, which are whole characters: a run of them is text or it is none.
        for token in tokens where !self.isSpecial(token) {
            let isByte = self.attributes(token) & LLAMA_TOKEN_ATTR_BYTE.rawValue != 0
            if !isByte { flush(perByte: true) }
            bytes += self.piece(token)
            if !isByte { flush(perByte: false) }
        }
        flush(perByte: true)
        if self.traits.dropsFirstSpace, text.unicodeScalars.first == " " { text.unicodeScalars.removeFirst() }
        return text
    }

    private func attributes(_ token: Int32) -> UInt32 { UInt32(llama_vocab_get_attr(self.pointer, token).rawValue) }

    /// Whether no text shows the token.
    private func isSpecial(_ token: Int32) -> Bool {
        guard (0..<Int32(clamping: self.count)).contains(token) else { return true }
        let attributes = self.attributes(token)
        // A word that the file's author has added, which texts show, may be a mark as well, such as "</s>" of Phi-3.
        return attributes & LLAMA_TOKEN_ATTR_UNKNOWN.rawValue != 0
            || self.specialTokens.isMark(token) && attributes & LLAMA_TOKEN_ATTR_USER_DEFINED.rawValue == 0
    }

    /// Whether the model ends its output with this token: end of text, end of turn and the like.
    public func endsGeneration(_ token: Int32) -> Bool { self.endTokens.contains(token) }

    /// What the file calls the token, such as "Ġthe" or "<|im_end|>"; for display.
    public func name(_ token: Int32) -> String {
        guard (0..<Int32(clamping: self.count)).contains(token), let text = llama_vocab_get_text(self.pointer, token)
        else { return "?" }
        return String(cString: text)
    }
}

/// Finds special tokens in texts: the leftmost, and of several that begin there the longest.
///
/// Hugging Face's tokenizers do so before anything else happens to a text, no matter who wrote it.
struct SpecialTokenIndex: Sendable {
    enum Part: Hashable {
        case token(Int32)
        case text(Substring)
    }

    private struct Entry: Sendable {
        var token: Int32
        /// White space before the token is dropped, and after it.
        var stripsLeft: Bool
        var stripsRight: Bool
    }

    /// The node after each first byte; -1 for none.
    private var roots = [Int32](repeating: -1, count: 256)
    /// The node after a node and a byte: `node << 8 | byte`.
    private var edges: [UInt64: Int32] = [:]
    private var entries: [Entry?] = []
    private var marks: Set<Int32> = []

    /// - Parameters:
    ///   - unknown: The token for what has none, which may be written in texts too.
    ///   - named: BOS, EOS and the like, which are marks whatever else the file says of them.
    init(_ vocabulary: OpaquePointer, count: Int, unknown: Int32?, named: Set<Int32>) {
        for token in 0..<Int32(clamping: count) {
            let attributes = llama_vocab_get_attr(vocabulary, token).rawValue
            // llama.cpp takes some words for marks by their names, such as "</s>" of Qwen, which is a word of HTML.
            let isControl =
                attributes & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0
                && attributes & LLAMA_TOKEN_ATTR_NORMAL.rawValue == 0
            if isControl || named.contains(token) { self.marks.insert(token) }
            guard self.marks.contains(token) || token == unknown, let text = llama_vocab_get_text(vocabulary, token)
            else { continue }
            self.insert(
                String(cString: text),
                Entry(
                    token: token, stripsLeft: attributes & LLAMA_TOKEN_ATTR_LSTRIP.rawValue != 0,
                    stripsRight: attributes & LLAMA_TOKEN_ATTR_RSTRIP.rawValue != 0))
        }
    }

    private mutating func insert(_ text: String, _ entry: Entry) {
        var node: Int32 = -1
        for byte in text.utf8 {
            let next = self.node(behind: node, byte)
            if next >= 0 {
                node = next
                continue
            }
            let new = Int32(self.entries.count)
            self.entries.append(nil)
            if node < 0 {
                self.roots[Int(byte)] = new
            } else {
                self.edges[UInt64(node) << 8 | UInt64(byte)] = new
            }
            node = new
        }
        if node >= 0 { self.entries[Int(node)] = entry }
    }

    private func node(behind node: Int32, _ byte: UInt8) -> Int32 {
        node < 0 ? self.roots[Int(byte)] : self.edges[UInt64(node) << 8 | UInt64(byte)] ?? -1
    }

    /// Whether the file calls the token a mark, rather than a word.
    func isMark(_ token: Int32) -> Bool { self.marks.contains(token) }

    /// The special token that is written so; `nil` if there is none.
    func token(named name: String) -> Int32? {
        guard let (entry, end) = self.match(in: name.utf8, at: name.startIndex), end == name.endIndex else {
            return nil
        }
        return entry.token
    }

    /// The text in parts, none of them empty.
    func parts(of text: String) -> [Part] {
        let bytes = text.utf8
        var parts: [Part] = []
        /// Where the text begins that belongs to no token yet.
        var open = bytes.startIndex
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard let (entry, end) = self.match(in: bytes, at: index) else {
                bytes.formIndex(after: &index)
                continue
            }
            var before = text[open..<index]
            if entry.stripsLeft {
                while before.unicodeScalars.last?.properties.isWhitespace == true { before.unicodeScalars.removeLast() }
            }
            if !before.isEmpty { parts.append(.text(before)) }
            parts.append(.token(entry.token))
            open = end
            if entry.stripsRight {
                open = text.unicodeScalars[end...].firstIndex { !$0.properties.isWhitespace } ?? text.endIndex
            }
            index = open
        }
        if open < text.endIndex { parts.append(.text(text[open...])) }
        return parts
    }

    private func match(in bytes: String.UTF8View, at start: String.Index) -> (Entry, String.Index)? {
        var best: (Entry, String.Index)?
        var node: Int32 = -1
        var index = start
        while index < bytes.endIndex {
            node = self.node(behind: node, bytes[index])
            guard node >= 0 else { break }
            bytes.formIndex(after: &index)
            if let entry = self.entries[Int(node)] { best = (entry, index) }
        }
        return best
    }
}
