import Foundation
import ProcessTesting

/// Runs Tests/Interop/results.py, which reads with h5py and anndata.
enum Results {
    static func run(_ arguments: String...) async throws -> Data {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let script = folder.deletingLastPathComponent().appendingPathComponent("Interop/results.py").path
        return Data(try await Python.run(script, arguments))
    }
}
