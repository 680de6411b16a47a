public import Evaluation
public import Llama

/// The tokenizer of a GGUF model.
public struct LlamaTokenizer: Tokenizer {
    public let vocabulary: Vocabulary
    private var rules = TokenRules()

    public init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// Loads only the vocabulary of a model, for planning and previews; takes a fraction of a second.
    public init(modelPath: String) throws(EngineError) {
        self.init(
            try translatingErrors { () throws(LlamaError) in
                try LlamaModel(path: modelPath, vocabularyOnly: true).vocabulary
            })
    }

    public func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) throws(TaskError) -> [Int32] {
        do throws(LlamaError) {
            return try self.vocabulary.tokenize(
                text, addSpecial: addSpecial, readSpecial: readSpecial,
                prefixesFirstOnly: self.rules.spacePrefix == .first,
                composes: self.rules.normalization.map { $0 == .nfc })
        } catch {
            throw TaskError(.invalidSample, error.message)
        }
    }

    public var beginning: String? { self.vocabulary.beginningOfText.map(self.vocabulary.name) }

    public var beginningToken: Int32? { self.vocabulary.beginningOfText }

    public var prefixToken: Int32? { self.vocabulary.beginningOfText ?? self.vocabulary.endOfText }

    public func following(_ rules: TokenRules) -> any Tokenizer {
        var tokenizer = self
        tokenizer.rules = rules
        return tokenizer
    }

    public func token(named name: String) -> Int32? { self.vocabulary.token(named: name) }

    public func name(of token: Int32) -> String? {
        (0..<Int32(clamping: self.vocabulary.count)).contains(token) ? self.vocabulary.name(token) : nil
    }
}
