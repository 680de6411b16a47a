/// A device that llama.cpp can compute on.
public struct LlamaDevice: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable { case cpu, gpu, integratedGPU, accelerator }

    /// llama.cpp's name, such as "CPU" or "CUDA0".
    public var name: String
    /// The maker's name.
    public var description: String
    public var kind: Kind
    public var totalMemory: Int
    public var freeMemory: Int

    /// All devices of this process, in llama.cpp's order.
    public static func all() -> [LlamaDevice] { [] }
}
