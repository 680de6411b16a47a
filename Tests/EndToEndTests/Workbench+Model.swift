import Foundation
import ProcessTesting

extension Workbench {
    /// Runs `body` with a server that is up, the real model registered and the data sets in place.
    static func withModel<Value: Sendable>(_ body: (Workbench) async throws -> Value) async throws -> Value {
        try await self.with { bench in
            try await bench.assay("model", "add", "smollm2", Inputs.model)
            try FileManager.default.copyItem(atPath: Inputs.data, toPath: "\(bench.home)/data")
            return try await body(bench)
        }
    }

    /// A job file over the repository's task files.
    func jobFile(_ text: String) throws -> String {
        let path = "\(self.folder)/job-\(UUID().uuidString.prefix(8)).yaml"
        try text.replacing("TASKS", with: Self.repository + "/jobs/tasks")
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
