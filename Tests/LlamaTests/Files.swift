import Foundation
import Testing

@testable import Llama

/// The tiny model that lies with the tests of Inference.
let tinyModelPath = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "InferenceTests/Fixtures/tiny.gguf").path

/// Runs `body` with the path of a temporary file of these bytes.
func withFile<Result>(_ bytes: some Sequence<UInt8>, _ body: (String) throws -> Result) throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString).gguf")
    let content = Array(bytes)
    // Not Data.write: it flushes to disk, and tests write hundreds of files.
    let file = try #require(fopen(url.path, "w"))
    let written = fwrite(content, 1, content.count, file)
    fclose(file)
    try #require(written == content.count)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
}

func bytes(ofFile path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
}

/// The error that `body` throws; `nil` if it returns.
func llamaError(_ body: () throws -> some Any) throws -> LlamaError? {
    do {
        _ = try body()
        return nil
    } catch let error as LlamaError {
        return error
    }
}

/// A small generator of pseudo-random numbers with a seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
