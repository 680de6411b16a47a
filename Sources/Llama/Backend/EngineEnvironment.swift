internal import CLlama

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What ggml, llama.cpp and cuBLAS take from the environment: code to load, other ways to round, programs to start.
///
/// It is no part of a result, so it must not change one, and nobody expects a variable to run code. Names come with every
/// version, so all are taken out but those that are known to do no harm.
enum EngineEnvironment {
    private static let prefixes = ["GGML_", "LLAMA_", "CUBLAS_", "CUBLASLT_"]
    /// Where memory lies, what a crash prints, and what is logged.
    private static let harmless: Set = [
        "CUBLAS_LOGDEST_DBG", "CUBLAS_LOGINFO_DBG", "CUBLASLT_LOG_FILE", "CUBLASLT_LOG_LEVEL", "CUBLASLT_LOG_MASK",
        "GGML_CUDA_DISABLE_GRAPHS", "GGML_CUDA_ENABLE_UNIFIED_MEMORY", "GGML_CUDA_NO_PINNED", "GGML_CUDA_P2P",
        "GGML_NO_BACKTRACE",
    ]
    private static let others: Set = ["NVIDIA_TF32_OVERRIDE"]

    /// Takes the variables out of this process's environment, and answers which were there, sorted.
    static func clean() -> [String] {
        let found = Self.names().filter(Self.isUnwanted).sorted()
        // Only what is there: an environment that others may be reading is left alone where it can be.
        for name in found { unsetenv(name) }
        return found
    }

    static func isUnwanted(_ name: String) -> Bool {
        Self.others.contains(name)
            || (Self.prefixes.contains { name.hasPrefix($0) } && !Self.harmless.contains(name))
    }

    private static func names() -> [String] {
        var names: [String] = []
        while let entry = assay_environment_entry(names.count) {
            names.append(String(String(cString: entry).prefix { $0 != "=" }))
        }
        return names
    }
}
