public import Evaluation
public import Llama

/// The tokenizer of a GGUF model.
public struct LlamaTokenizer: Tokenizer {
    public let vocabulary: Vocabulary

    public init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// Loads only the vocabulary of a model, for planning and previews; takes a fraction of a second.
    public init(modelPath: String) throws(EngineError) {
        throw EngineError(.settings, "not yet")
    }

    public func encode(_ text: String, addSpecial: Bool) -> [Int32] { [] }

    public var prefixToken: Int32? { nil }
}
