import Foundation
import OrderedCollections
import PythonCompat
import Testing

@testable import Evaluation

/// Random files beside what pyarrow, pandas and PyYAML read in them, called as lm-eval's loaders call them.
///
/// ASSAY_PYTHON names a Python that has them; ASSAY_LOADER_SEED and ASSAY_LOADER_COUNT choose other files, and more.
@Suite(.timeLimit(.minutes(5))) struct LoaderDifferentialTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let python = environment["ASSAY_PYTHON"]

    @Test(.enabled(if: Self.python != nil, "ASSAY_PYTHON names no Python"))
    func filesAreReadAsPythonReadsThem() throws {
        let seed = Self.environment["ASSAY_LOADER_SEED"] ?? "20260729"
        let count = Self.environment["ASSAY_LOADER_COUNT"] ?? "400"
        try withFiles([:]) { folder in
            let script = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/loaders/loaders.py"
            // Into files, not pipes, which other children would keep open.
            try Data().write(to: URL(filePath: folder + "messages"))
            let process = Process()
            process.executableURL = URL(filePath: Self.python ?? "")
            process.arguments = ["-W", "ignore", script, folder, seed, count]
            process.standardError = try FileHandle(forWritingTo: URL(filePath: folder + "messages"))
            try process.run()
            process.waitUntilExit()
            let messages = String(decoding: try readFile(folder + "messages", limit: 1 << 20), as: UTF8.self)
            try #require(process.terminationStatus == 0, "\(messages)")
            let expected = try JSONValue.parse(try readFile(folder + "expected.json", limit: 1 << 30))
            guard case .object(let files) = expected else { return }
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
                let text = String(decoding: try readFile(folder + name, limit: 1 << 20), as: UTF8.self)
                #expect(found == printed, "seed \(seed), \(name): \(text.debugDescription)")
            }
            #expect(read > files.count / 2)
        }
    }

    private static func printed(_ path: String) throws -> String {
        guard path.hasSuffix(".yaml") else { return try DataSet.load(path: path).printed }
        return PythonText.str(.array([try ConfigurationNode.load(path: path).value]))
    }
}
