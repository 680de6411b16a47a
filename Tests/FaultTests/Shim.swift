import ProcessTesting
import Testing
import UVEventLoop

extension FaultBench {
    /// What makes a program find itself on a machine on which something is wrong: see Shims/node.c, or the other source.
    ///
    /// Compiled for the occasion; the faults of node.c begin and end with files that the test makes and removes.
    func shim(_ faults: [String: String], from name: String = "node") async throws -> [String: String] {
        let library = "\(self.bench.folder)/\(name).so"
        let source = "\(Workbench.repository)/Tests/FaultTests/Shims/\(name).c"
        let result = try await self.bench.run("/usr/bin/cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl")
        try #require(result.termination.isSuccess, "\(result.standardError.text)")
        return faults.merging(["LD_PRELOAD": library]) { own, _ in own }
    }
}
