#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Environment variables that make ggml round in another way.
///
/// They are no part of a result, so they must not change one.
enum RoundingSwitches {
    static let names = ["GGML_CUDA_CUBLAS_COMPUTE_TYPE", "GGML_CUDA_DISABLE_FUSION", "GGML_CUDA_GRAPH_OPT"]

    /// Takes them out of this process's environment, and answers which were there.
    static func remove(_ names: [String] = names) -> [String] {
        // Only what is there: an environment that others may be reading is left alone where it can be.
        let found = names.filter { getenv($0) != nil }
        for name in found { unsetenv(name) }
        return found
    }
}
