internal import CGrammar
internal import CLlama
internal import CLlamaCalls

/// What a generated text may look like, in llama.cpp's notation GBNF.
public struct Grammar: Sendable, Hashable {
    /// Its first rule is `root`.
    public let text: String

    /// - Throws: `LlamaError` of code `unsupported`; what is wrong llama.cpp says on standard error.
    public init(gbnf text: String) throws(LlamaError) {
        guard !text.isEmpty, let sampler = llamaCall({ cllama_grammar(nil, text, &$0) }).value else {
            throw LlamaError(
                .unsupported,
                "the grammar can't be parsed, has no rule root, or is left-recursive; llama.cpp says more on standard error, "
                    + "and its grammars/README.md describes the notation")
        }
        llama_sampler_free(sampler.assumingMemoryBound(to: llama_sampler.self))
        self.text = text
    }

    /// The grammar of the JSON texts that a JSON schema describes, as llama.cpp converts it.
    ///
    /// - Parameter schema: JSON text whose depth and size the caller has bounded: the converter recurses over it.
    /// - Throws: `LlamaError` of code `unsupported` for what can't be converted.
    public init(jsonSchema schema: String) throws(LlamaError) {
        var schema = schema
        let result = schema.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cgrammar_from_schema($0.baseAddress, $0.count) }
        }
        guard let text = result.text else { throw LlamaError(.outOfMemory, "no memory for a grammar") }
        defer { cgrammar_free(text) }
        let message = String(cString: text)
        guard result.failed == 0 else {
            let reason = message.split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
            throw LlamaError(.unsupported, "the JSON schema can't be converted: \(reason)")
        }
        try self.init(gbnf: message)
    }
}

/// How far a text has come in a grammar, and which tokens may come next.
///
/// Not to be shared between threads.
public final class GrammarMatcher {
    private let sampler: UnsafeMutablePointer<llama_sampler>
    /// Keeps the model, whose vocabulary the sampler reads.
    private let vocabulary: Vocabulary
    private var candidates: [llama_token_data] = []

    /// - Throws: `LlamaError` of code `unsupported` if the grammar does not fit the vocabulary.
    public init(_ grammar: Grammar, vocabulary: Vocabulary) throws(LlamaError) {
        guard let sampler = vocabulary.grammarSampler(grammar.text) else {
            throw LlamaError(.unsupported, "the grammar names tokens that the model does not have")
        }
        self.sampler = sampler
        self.vocabulary = vocabulary
    }

    deinit { llama_sampler_free(self.sampler) }

    /// Whether `token` may come next.
    ///
    /// Marks such as the beginning of text never may: a grammar sees their names, the text would not.
    public func allows(_ token: Int32) -> Bool {
        guard (0..<Int32(clamping: self.vocabulary.count)).contains(token), !self.vocabulary.isHidden(token) else {
            return false
        }
        var candidate = llama_token_data(id: token, logit: 0, p: 0)
        var array = withUnsafeMutablePointer(to: &candidate) {
            llama_token_data_array(data: $0, size: 1, selected: -1, sorted: false)
        }
        return withUnsafeMutablePointer(to: &candidate) { pointer in
            array.data = pointer
            guard llamaCall({ cllama_apply(self.sampler, &array, &$0) }).value else { return false }
            return pointer.pointee.logit == 0
        }
    }

    /// What stands for a token that may not come next: far below any logit, and finite.
    static let forbidden: Float = -1e9

    /// `logits` with `forbidden` for every token that may not come next.
    func filtered(_ logits: UnsafeBufferPointer<Float>) -> [Float] {
        self.candidates.removeAll(keepingCapacity: true)
        for (token, logit) in logits.enumerated() {
            self.candidates.append(llama_token_data(id: Int32(token), logit: logit, p: 0))
        }
        return self.candidates.withUnsafeMutableBufferPointer { candidates in
            var array = llama_token_data_array(
                data: candidates.baseAddress, size: candidates.count, selected: -1, sorted: false)
            guard llamaCall({ cllama_apply(self.sampler, &array, &$0) }).value else {
                return Array(repeating: Self.forbidden, count: candidates.count)
            }
            return candidates.map { candidate in
                self.vocabulary.isHidden(candidate.id) ? Self.forbidden : max(candidate.logit, Self.forbidden)
            }
        }
    }

    /// Takes the next token.
    ///
    /// - Throws: `LlamaError` of code `limitExceeded` if the token is not allowed.
    public func accept(_ token: Int32) throws(LlamaError) {
        // llama.cpp ends the process over an end of text where the grammar wants more.
        guard self.allows(token) else {
            throw LlamaError(.limitExceeded, "token \(token) is not what the grammar wants next")
        }
        let (isAccepted, failure) = llamaCall { cllama_accept(self.sampler, token, &$0) }
        guard isAccepted else {
            throw LlamaError(.limitExceeded, "token \(token) can't be taken by the grammar: \(failure ?? "")")
        }
    }
}

extension Distribution {
    /// The next token of a text that must follow a grammar; `nil` if no token can come next.
    ///
    /// - Parameter draw: How it is drawn of those that are allowed; `nil` for the most likely one.
    public func next(_ draw: (rule: DrawingRule, unit: Double)?, within matcher: GrammarMatcher) -> Int32? {
        // Grammars are slow over a whole vocabulary, and the most likely token is mostly allowed.
        if draw == nil, matcher.allows(self.mostLikely) { return self.mostLikely }
        let allowed = matcher.filtered(self.allLogits)
        return allowed.withUnsafeBufferPointer { logits in
            guard let distribution = Distribution(logits),
                distribution.logit(of: distribution.mostLikely) > GrammarMatcher.forbidden
            else { return nil }
            guard let draw else { return distribution.mostLikely }
            return distribution.draw(draw.rule, unit: draw.unit)
        }
    }
}
