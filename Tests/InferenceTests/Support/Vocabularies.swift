import Foundation
import ProcessTesting
import Testing

/// A vocabulary-only GGUF of llama.cpp's own tests: from ASSAY_TEST_VOCABULARIES, else from the cache that infra/test fills.
func vocabularyPath(_ name: String) throws -> String {
    let path = "\(Inputs.vocabularies)/ggml-vocab-\(name).gguf"
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
