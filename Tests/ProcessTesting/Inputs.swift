#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What infra/test provides: a variable, or else a place in the cache.
public enum Inputs {
    public static var model: String { self.input("ASSAY_TEST_MODEL", "models/SmolLM2-135M-Instruct.Q4_1.gguf") }
    public static var data: String { self.input("ASSAY_TEST_DATA", "data") }
    /// A Python that has h5py.
    public static var python: String { self.input("ASSAY_PYTHON", "python/bin/python") }

    private static func input(_ variable: String, _ standard: String) -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["ASSAY_CACHE"] ?? "\(environment["HOME"] ?? "")/.cache/assay"
        return environment[variable] ?? "\(cache)/\(standard)"
    }
}
