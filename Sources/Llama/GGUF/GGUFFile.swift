/// What a GGUF file says about its model, read within strict bounds and checked against the file's size.
public struct GGUFFile: Sendable, Hashable {
    public let path: String
    public let byteCount: Int
    public let architecture: String
    /// `general.name`, else the file's name without its extension.
    public let name: String
    /// Tokens the model was trained to attend to.
    public let contextLength: Int
    public let vocabularySize: Int
    public let parameterCount: Int
    /// Such as "Q4_1"; `nil` if the file does not say.
    public let quantization: String?
    /// The default Jinja chat template; `nil` if there is none.
    public let chatTemplate: String?
    /// SHA-256 over all `tokenizer.*` metadata in hexadecimal digits, independent of the order in the file.
    public let tokenizerSHA256: String

    /// Reads and checks the file at `path`; no tensor data is read.
    public init(path: String) throws(LlamaError) { throw LlamaError(message: "not yet") }

    /// The SHA-256 of the whole file at `path` in hexadecimal digits.
    public static func sha256(path: String) throws(LlamaError) -> String { throw LlamaError(message: "not yet") }
}
