import Foundation
import Testing

/// A vocabulary-only GGUF of llama.cpp's own tests: from ASSAY_TEST_VOCABULARIES, else from the cache that infra/test fills.
func vocabularyPath(_ name: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HOME"] ?? "/root"
    let cache = environment["ASSAY_CACHE"] ?? (environment["XDG_CACHE_HOME"] ?? home + "/.cache") + "/assay"
    let folder = environment["ASSAY_TEST_VOCABULARIES"] ?? cache + "/vocabularies"
    let path = "\(folder)/ggml-vocab-\(name).gguf"
    try #require(
        FileManager.default.isReadableFile(atPath: path),
        "\(path) is missing: run infra/test, or set ASSAY_TEST_VOCABULARIES")
    return path
}

/// A copy of a vocabulary that says: no space before the first word.
///
/// The caller removes it.
func vocabularyWithoutSpacePrefix(_ path: String) throws -> String {
    var bytes = try Data(contentsOf: URL(filePath: path))
    let key = "tokenizer.ggml.add_space_prefix"
    // The number of entries, and after it one more: its key, the type of a boolean, and false.
    bytes[16] += 1
    var entry = Data()
    withUnsafeBytes(of: UInt64(key.utf8.count).littleEndian) { entry.append(contentsOf: $0) }
    entry.append(contentsOf: Array(key.utf8) + [7, 0, 0, 0, 0])
    bytes.insert(contentsOf: entry, at: 24)
    let copy = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString).gguf")
    try bytes.write(to: copy)
    return copy.path
}

/// Runs a script of Fixtures with the Python that infra/test made.
enum PythonScript {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// What it prints; throws with its messages if it fails.
    static func run(_ script: String, _ arguments: [String]) async throws -> Data {
        let environment = ProcessInfo.processInfo.environment
        let python = try #require(environment["ASSAY_PYTHON"], "ASSAY_PYTHON is not set: run infra/test")
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures")
        // Files, not pipes: those would be open to every other child that is started meanwhile.
        let output = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString).out")
        let messages = output.appendingPathExtension("err")
        for file in [output, messages] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        defer { for file in [output, messages] { try? FileManager.default.removeItem(at: file) } }
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-W", "ignore", fixtures.appending(path: script).path] + arguments
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: messages)
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in done.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                done.resume(throwing: error)
            }
        }
        guard process.terminationStatus == 0 else {
            let reason = String(decoding: (try? Data(contentsOf: messages)) ?? Data(), as: UTF8.self)
            throw Failure(description: "\(script) \(arguments.joined(separator: " ")) failed: \(reason)")
        }
        return try Data(contentsOf: output)
    }
}
