/// llama.cpp, or a model file, failed.
public struct LlamaError: Error, Sendable, Hashable {
    public var message: String
}
