public import FoundationEssentials

/// A model that jobs can name.
public struct ModelRecord: Sendable, Hashable, Encodable {
    public var name: String
    /// Where the file is: absolute, or relative to the store.
    public var path: String
    /// Of the file: 64 lower-case hexadecimal digits.
    public var sha256: String
    public var bytes: Int64
    public var architecture: String
    public var parameters: Int64
    public var contextLength: Int
    public var vocabularySize: Int
    /// 64 lower-case hexadecimal digits.
    public var tokenizerSHA256: String
    /// For example "Q8_0".
    public var quantization: String
    /// Set by the queue when the model is added.
    public var addedAt: Date

    public init(
        name: String, path: String, sha256: String, bytes: Int64, architecture: String, parameters: Int64,
        contextLength: Int, vocabularySize: Int, tokenizerSHA256: String, quantization: String,
        addedAt: Date = Date(timeIntervalSince1970: 0)
    ) {
        self.name = name
        self.path = path
        self.sha256 = sha256
        self.bytes = bytes
        self.architecture = architecture
        self.parameters = parameters
        self.contextLength = contextLength
        self.vocabularySize = vocabularySize
        self.tokenizerSHA256 = tokenizerSHA256
        self.quantization = quantization
        self.addedAt = addedAt
    }
}
