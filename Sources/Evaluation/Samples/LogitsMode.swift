/// How much of the model's output a result file keeps besides scores and text; each mode includes those before it.
public enum LogitsMode: String, Sendable, Hashable, CaseIterable, Codable {
    case none
    /// The log-probability sum of every choice or continuation.
    case choices
    /// Token ids and the log-probability of every scored or generated token.
    case tokens
}
