#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What infra/test provides: a variable, or else a place in the cache.
public enum Inputs {
    public static var model: String { self.input("ASSAY_TEST_MODEL", "models/SmolLM2-135M-Instruct.Q4_1.gguf") }
    /// The same model with weights of 32 bits.
    public static var model32: String {
        self.input("ASSAY_TEST_MODEL_F32", "models/SmolLM2-135M-Instruct.F32.gguf")
    }
    public static var data: String { self.input("ASSAY_TEST_DATA", "data") }
    /// The vocabularies of llama.cpp's own tests.
    public static var vocabularies: String { self.input("ASSAY_TEST_VOCABULARIES", "vocabularies") }

    /// The folder that infra/test fills.
    public static var cache: String {
        let environment = ProcessInfo.processInfo.environment
        let caches = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/root")/.cache"
        return environment["ASSAY_CACHE"] ?? "\(caches)/assay"
    }

    private static func input(_ variable: String, _ standard: String) -> String {
        ProcessInfo.processInfo.environment[variable] ?? "\(self.cache)/\(standard)"
    }
}
