/// What a generated text must look like.
public enum TextConstraint: Sendable, Hashable {
    /// In llama.cpp's notation GBNF; the first rule is `root`.
    case grammar(String)
    /// A JSON text that the JSON schema describes.
    case jsonSchema(String)

    /// What task files call the kind.
    public var key: String {
        switch self {
        case .grammar: "grammar"
        case .jsonSchema: "json_schema"
        }
    }

    /// Grammar or schema.
    public var text: String {
        switch self {
        case .grammar(let text), .jsonSchema(let text): text
        }
    }
}
