import EngineTesting
import Testing

@testable import Llama

@Suite struct GGUFFileTests {
    @Test func readsWhatTheTinyModelSays() throws {
        let file = try GGUFFile(path: tinyModelPath)
        #expect(file.architecture == "llama")
        #expect(file.name == "tiny")
        #expect(file.contextLength == 512)
        #expect(file.vocabularySize == 318)
        #expect(file.parameterCount == 94_400)
        #expect(file.quantization == "all F32")
        #expect(file.chatTemplate == "{% for message in messages %}{{ message.content }}{% endfor %}")
        // Two layers, two key-value heads of 16, keys and values, four bytes each since the weights have as many.
        #expect(file.cacheBytesPerToken == 2 * 2 * (16 + 16) * 4)
        #expect(file.longRopeThreshold == nil)
        #expect(file.tokenizerSHA256.count == 64)
    }

    @Test func everyTruncationIsAClearError() throws {
        let whole = try bytes(ofFile: tinyModelPath)
        let cuts = Array(stride(from: 0, to: 12_000, by: 97)) + Array(stride(from: 12_000, to: whole.count, by: 9973))
        for cut in cuts + [whole.count - 1] {
            let error = try withFile(whole.prefix(cut)) { path in try llamaError { try GGUFFile(path: path) } }
            #expect(error?.code == .malformedFile, "cut at \(cut)")
            #expect(error?.message.contains(".gguf") == true)
        }
    }

    /// A damaged file is refused, or is sound enough for llama.cpp, which aborts the process on many of them.
    @Test func damagedFilesNeverEndTheProcess() throws {
        let whole = try bytes(ofFile: tinyModelPath)
        var refused = 0
        for seed in 0..<300 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var damaged = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<10_800, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let error = try withFile(damaged) { path in
                try llamaError {
                    let model = try LlamaModel(path: path, device: .cpu)
                    return try model.vocabulary.detokenize(model.vocabulary.tokenize("the end", addSpecial: true))
                }
            }
            if error != nil { refused += 1 }
        }
        // A changed letter of a token leaves the file sound; a changed length does not.
        #expect((50..<300).contains(refused))
    }

    @Test func theFileNameStandsInForAMissingName() throws {
        let file = try withFile(GGUFBuilder().bytes()) { try GGUFFile(path: $0) }
        #expect(file.name.hasPrefix("assay-"))
        #expect(!file.name.hasSuffix(".gguf"))
        #expect(file.quantization == nil)
        #expect(file.parameterCount == 16)
    }

    @Test func theTokenizerDigestDependsOnContentNotOnOrder() throws {
        let plain = GGUFBuilder()
        var reversed = plain
        reversed.metadata.reverse()
        var renamed = plain
        renamed.set("tokenizer.ggml.tokens", .strings(["a", "c"]))
        var otherModel = plain
        otherModel.set("general.name", .string("other"))
        func digest(_ builder: GGUFBuilder) throws -> String {
            try withFile(builder.bytes()) { try GGUFFile(path: $0).tokenizerSHA256 }
        }
        #expect(try digest(plain) == digest(reversed))
        #expect(try digest(plain) == digest(otherModel))
        #expect(try digest(plain) != digest(renamed))
    }

    @Test func hashesFiles() throws {
        let digest = try withFile(Array("abc".utf8)) { try GGUFFile.sha256(path: $0) }
        #expect(digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let empty = try withFile([UInt8]()) { try GGUFFile.sha256(path: $0) }
        #expect(empty == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func missingFilesAndFoldersAreNamed() throws {
        let missing = try llamaError { try GGUFFile(path: "/nowhere/model.gguf") }
        #expect(missing?.code == .fileUnreadable)
        #expect(missing?.message.contains("/nowhere/model.gguf") == true)
        #expect(try llamaError { try GGUFFile(path: "/tmp") }?.code == .fileUnreadable)
    }
}
