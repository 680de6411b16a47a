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
