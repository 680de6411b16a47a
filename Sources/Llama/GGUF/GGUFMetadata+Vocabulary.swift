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
