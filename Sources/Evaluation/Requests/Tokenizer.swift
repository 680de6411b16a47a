/// Turns text into a model's token ids.
public protocol Tokenizer: Sendable {
    /// The ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecial: What the model's vocabulary adds to a text by default (such as BOS) is added.
    ///   - readSpecial: Special tokens written in the text are recognized, as a chat template needs it.
    /// - Throws: `TaskError` of code `invalidSample` for a text that can't be tokenized, such as one of a hundred megabytes.
    func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) throws(TaskError) -> [Int32]

    /// What BOS is written as; `nil` if the vocabulary has none.
    var beginning: String? { get }

    /// BOS where the vocabulary has one, else EOS; `nil` if it has neither.
    var prefixToken: Int32? { get }
}

extension Tokenizer {
    /// Adds no BOS to a text that begins with it, as lm-eval does, since a chat template may write it.
    public func encode(_ text: String, addSpecial: Bool, isChat: Bool = false) throws(TaskError) -> [Int32] {
        let begins = isChat && self.beginning.map { !$0.isEmpty && text.utf8.starts(with: $0.utf8) } == true
        return try self.encode(text, addSpecial: addSpecial && !begins, readSpecial: isChat)
    }
}
