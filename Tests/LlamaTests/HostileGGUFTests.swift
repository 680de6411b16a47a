import EngineTesting
import Foundation
import Testing

@testable import Llama

/// Files that would make a trusting reader allocate, read beyond the end or divide by zero.
@Suite struct HostileGGUFTests {
    private func error(_ change: (inout GGUFBuilder) -> Void) throws -> LlamaError? {
        var builder = GGUFBuilder()
        change(&builder)
        return try withFile(builder.bytes()) { path in try llamaError { try GGUFFile(path: path) } }
    }

    @Test func theUnchangedFileIsSound() throws {
        #expect(try self.error { _ in } == nil)
    }

    @Test func headers() throws {
        #expect(try self.error { $0.version = 1 }?.code == .unsupported)
        #expect(try self.error { $0.version = 4 }?.code == .unsupported)
        #expect(try self.error { $0.version = 0x0300_0000 }?.message.contains("big-endian") == true)
        #expect(try self.error { $0.claimedTensors = .max }?.code == .malformedFile)
        #expect(try self.error { $0.claimedTensors = 900_000 }?.code == .malformedFile)
        #expect(try self.error { $0.claimedMetadata = 1 << 40 }?.code == .malformedFile)
        let text = try withFile(Array("this is a text and not a model".utf8)) { path in
            try llamaError { try GGUFFile(path: path) }
        }
        #expect(text?.message.contains("no GGUF file") == true)
    }

    @Test(arguments: [
        // A string of 2^63 bytes; an array of 2^60 numbers; an array of arrays; an unknown type.
        GGUFBuilder.Value.raw(type: 8, bytes: [0, 0, 0, 0, 0, 0, 0, 0x80]),
        .raw(type: 9, bytes: [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10]),
        .raw(type: 9, bytes: [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
        .raw(type: 99, bytes: []),
        .raw(type: 8, bytes: [2, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFE]),
    ])
    func metadataValues(_ value: GGUFBuilder.Value) throws {
        #expect(try self.error { $0.metadata.append(("x", value)) }?.code == .malformedFile)
    }

    @Test func metadataKeys() throws {
        #expect(
            try self.error { $0.metadata.append(("general.architecture", .string("x"))) }?.message.contains("twice")
                == true)
        #expect(try self.error { $0.metadata.append(("", .uint32(1))) }?.code == .malformedFile)
        #expect(try self.error { $0.set("general.alignment", .uint32(33)) }?.code == .malformedFile)
        #expect(try self.error { $0.set("split.count", .uint32(3)) }?.message.contains("--merge") == true)
        for key in ["general.architecture", "llama.block_count", "llama.embedding_length", "llama.context_length"] {
            #expect(try self.error { $0.set(key, nil) }?.message.contains(key) == true)
        }
        #expect(try self.error { $0.set("llama.block_count", .uint32(100_000)) }?.code == .malformedFile)
        #expect(try self.error { $0.set("llama.attention.head_count", .uint32(0)) } == nil)
        #expect(try self.error { $0.set("llama.attention.key_length", .uint32(0)) }?.code == .malformedFile)
    }

    @Test func vocabularies() throws {
        #expect(try self.error { $0.set("tokenizer.ggml.tokens", nil) }?.code == .unsupported)
        #expect(try self.error { $0.set("tokenizer.ggml.tokens", .int32s([1, 2])) }?.code == .unsupported)
        #expect(try self.error { $0.set("tokenizer.ggml.token_type", .int32s([1])) }?.code == .malformedFile)
        #expect(try self.error { $0.set("tokenizer.ggml.scores", .floats([0])) }?.code == .malformedFile)
        #expect(try self.error { $0.set("tokenizer.ggml.scores", .strings(["0", "1"])) }?.code == .malformedFile)
        #expect(try self.error { $0.set("tokenizer.ggml.merges", .int32s([1])) }?.code == .malformedFile)
        for tokens in [["a", "a"], ["a\u{0}b", "a\u{0}c"], ["", "[EMPTY_0]"], ["\u{0}", "[EMPTY_0]"]] {
            let error = try self.error { $0.set("tokenizer.ggml.tokens", .strings(tokens)) }
            #expect(error?.message.contains("twice") == true)
        }
    }

    @Test func numbersThatLlamaAssertsOn() throws {
        #expect(try self.error { $0.set("llama.rope.scaling.type", .string("yarn")) } == nil)
        #expect(try self.error { $0.set("llama.rope.scaling.type", .string("warn")) }?.code == .malformedFile)
        #expect(try self.error { $0.set("llama.rope.scaling.type", .uint32(1)) }?.code == .malformedFile)
        #expect(try self.error { $0.set("llama.nextn_predict_layers", .uint32(2)) }?.code == .malformedFile)
        func experts(_ all: UInt32, used: UInt32, groups: UInt32 = 0, usedGroups: UInt32 = 0) throws -> LlamaError? {
            try self.error {
                $0.set("llama.expert_count", .uint32(all))
                $0.set("llama.expert_used_count", .uint32(used))
                $0.set("llama.expert_group_count", .uint32(groups))
                $0.set("llama.expert_group_used_count", .uint32(usedGroups))
            }
        }
        #expect(try experts(8, used: 2) == nil)
        #expect(try experts(8, used: 2, groups: 4, usedGroups: 2) == nil)
        #expect(try experts(0, used: 2)?.code == .malformedFile)
        #expect(try experts(8, used: 9)?.code == .malformedFile)
        #expect(try experts(8, used: 0)?.code == .malformedFile)
        #expect(try experts(8, used: 2, groups: 8)?.code == .malformedFile)
        #expect(try experts(8, used: 2, groups: 3, usedGroups: 1)?.code == .malformedFile)
        #expect(try experts(8, used: 2, groups: 4, usedGroups: 4)?.code == .malformedFile)
        #expect(try experts(4_000_000_000, used: 2)?.code == .malformedFile)
    }

    @Test func whatLlamaWouldComputeWith() throws {
        for value in [-1, Float.nan, -Float.infinity] {
            let error = try self.error { $0.set("llama.attention.layer_norm_rms_epsilon", .float(value)) }
            #expect(error?.code == .malformedFile)
        }
        #expect(try self.error { $0.set("llama.attention.causal", .bool(false)) }?.code == .unsupported)
        #expect(try self.error { $0.set("llama.attention.causal", .bool(true)) } == nil)
        #expect(try self.error { $0.set("general.alignment", .uint32(16)) }?.code == .unsupported)
        for tokenizer in ["bert", "no_vocab", "none", "test"] {
            #expect(try self.error { $0.set("tokenizer.ggml.model", .string(tokenizer)) }?.code == .unsupported)
        }
        // Norms in 16 bits, matrices of integers and of doubles.
        #expect(try self.error { $0.tensors[0] = ("norm", [16], 1, 0) }?.code == .unsupported)
        for type: UInt32 in [24, 25, 26, 28] {
            #expect(try self.error { $0.tensors[0] = ("w", [4, 2], type, 0) }?.code == .unsupported)
        }
        #expect(try self.error { $0.tensors[0] = ("w", [8, 2], 1, 0) } == nil)
    }

    /// Whatever a header says: it is refused, or the model computes.
    ///
    /// In other processes, which end if llama.cpp aborts.
    @Test(arguments: 0..<4) func noHeaderEndsTheProcess(_ part: Int) async throws {
        let diary = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: diary) }
        let result = await #expect(processExitsWith: .success) { [part = part as Int, diary = diary as String] in
            for (index, variant) in HeaderVariant.all.enumerated() where index % 4 == part {
                try variant.name.write(toFile: diary, atomically: false, encoding: .utf8)
                try variant.compute()
            }
        }
        if result == nil {
            Issue.record("ended at \((try? String(contentsOfFile: diary, encoding: .utf8)) ?? "the first one")")
        }
    }

    @Test func tensors() throws {
        #expect(try self.error { $0.tensors[0].offset = 32 }?.message.contains("truncated") == true)
        #expect(try self.error { $0.tensors[0].offset = 7 }?.code == .malformedFile)
        #expect(try self.error { $0.tensors[0].offset = .max - 31 }?.code == .malformedFile)
        #expect(try self.error { $0.tensors[0].dimensions = [1 << 40, 1 << 40] }?.code == .malformedFile)
        #expect(try self.error { $0.tensors[0].dimensions = [.max] }?.code == .malformedFile)
        #expect(try self.error { $0.tensors[0].dimensions = [0, 4] }?.code == .malformedFile)
        #expect(try self.error { $0.tensors[0].dimensions = [1, 1, 1, 1, 1] }?.code == .malformedFile)
        #expect(try self.error { $0.tensors[0].type = 2 }?.message.contains("rows") == true)
        #expect(try self.error { $0.tensors[0].type = 4711 }?.code == .unsupported)
        #expect(try self.error { $0.tensors[0].name = String(repeating: "n", count: 64) }?.code == .malformedFile)
        #expect(try self.error { $0.tensors.append(("w", [1], 0, 0)) }?.message.contains("twice") == true)
        #expect(try self.error { $0.tensors[0].name = "rope_factors_long.weight" } == nil)
    }

    @Test func llamaSaysWhyItRefusesASoundFile() throws {
        var builder = GGUFBuilder()
        builder.set("general.architecture", .string("unheard-of"))
        for key in ["block_count", "embedding_length", "context_length"] {
            builder.set("unheard-of.\(key)", .uint32(4))
        }
        let error = try withFile(builder.bytes()) { path in try llamaError { try LlamaModel(path: path, device: .cpu) }
        }
        #expect(error?.code == .loadFailed)
        #expect(error?.message.contains("unknown model architecture") == true)
    }

    /// Opening a pipe for reading waits for a writer, who may never come.
    @Test(.timeLimit(.minutes(1))) func aPipeIsNoModel() throws {
        let path = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString).gguf"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect(try llamaError { try GGUFFile(path: path) }?.code == .fileUnreadable)
        #expect(try llamaError { try GGUFFile.sha256(path: path) }?.code == .fileUnreadable)
    }
}
