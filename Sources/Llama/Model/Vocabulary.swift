/// The vocabulary of a model: text to token ids and back.
public final class Vocabulary: Sendable {
    public init() {}
}
