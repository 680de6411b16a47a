import Foundation
import OrderedCollections
import ProcessTesting
import PythonCompat
import Testing

@testable import ConfigFile
@testable import Datasets
@testable import JSON

/// Random files beside what pyarrow, pandas and PyYAML read in them, called as lm-eval's loaders call them.
///
/// ASSAY_LOADER_SEED and ASSAY_LOADER_COUNT choose other files, and more.
@Suite(.timeLimit(.minutes(5))) struct LoaderDifferentialTests {
    @Test(
        .enabled("no Python with pyarrow and PyYAML; infra/test makes one") {
            await Python.confirms("True", importing: "pyarrow", "yaml")
        })
    func filesAreReadAsPythonReadsThem() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["ASSAY_LOADER_SEED"] ?? "20260729"
        let count = environment["ASSAY_LOADER_COUNT"] ?? "400"
        let script = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/loaders/loaders.py"
        let folder = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString)/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try await Python.run(script, [folder, seed, count])
        let expected = try JSONValue.parse(try TextFile.bytes(folder + "expected.json", limit: 1 << 30))
        guard case .object(let files) = expected else {
            Issue.record("expected.json has another form")
            return
        }
        var read = 0
        for (name, printed) in files {
            // What Python refuses may be read here.
            guard case .string(let printed) = printed, printed != "[]" else { continue }
            read += 1
            let found: String
            do {
                found = try Self.printed(folder + name)
            } catch {
                found = "\(error)"
            }
            let text = String(decoding: try TextFile.bytes(folder + name, limit: 1 << 20), as: UTF8.self)
            #expect(found == printed, "seed \(seed), \(name): \(text.debugDescription)")
        }
        #expect(read > files.count / 2)
    }

    private static func printed(_ path: String) throws -> String {
        guard path.hasSuffix(".yaml") else { return try DataSet.load(path: path).printed }
        return PythonText.str(.array([try ConfigurationNode.load(path: path).value]))
    }
}
