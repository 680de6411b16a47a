/// Turns text into a model's token ids.
public protocol Tokenizer: Sendable {
    /// The ids of `text`. Special tokens written in the text are not recognised.
    ///
    /// With `addSpecial`, what the model's vocabulary adds to a text by default (such as BOS) is added.
    func encode(_ text: String, addSpecial: Bool) -> [Int32]

    /// BOS where the vocabulary has one, else EOS; `nil` if it has neither.
    var prefixToken: Int32? { get }
}
