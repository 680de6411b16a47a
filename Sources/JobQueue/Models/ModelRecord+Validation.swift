extension ModelRecord {
    func validate() throws(QueueError) {
        try check(name, "the model's name", 1...200)
        try check(path, "the path of model '\(name)'", 1...4096)
        try check(sha256: sha256, "the sha256 of model '\(name)'")
        try check(sha256: tokenizerSHA256, "the tokenizer's sha256 of model '\(name)'")
        try check(architecture, "the architecture of model '\(name)'", 0...200)
        try check(quantization, "the quantization of model '\(name)'", 0...200)
        try check(contextLength, "the context length of model '\(name)'", storableCount)
        try check(vocabularySize, "the vocabulary size of model '\(name)'", storableCount)
        guard bytes > 0, parameters >= 0 else {
            throw QueueError(
                .invalid, "model '\(name)' has \(bytes) bytes and \(parameters) parameters: that is no model")
        }
    }
}
