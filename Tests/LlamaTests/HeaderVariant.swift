import EngineTesting
import Foundation

@testable import Llama

/// A sound model of which one thing is wrong that llama.cpp might trust.
struct HeaderVariant: Sendable {
    let name: String
    let change: @Sendable (inout GGUFBuilder) -> Void

    /// Loads the model if that is not refused, tokenizes, and computes on it both ways.
    func compute() throws {
        let path = try TinyModel(change: self.change).write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        do throws(LlamaError) {
            let model = try LlamaModel(path: path, device: .cpu)
            let vocabulary = model.vocabulary
            let tokens = try vocabulary.tokenize("the quick th 12 é <|im_end|>", addSpecial: true, readSpecial: true)
            _ = vocabulary.detokenize(tokens)
            guard !tokens.isEmpty else { return }
            for layout in [ContextShape.Layout.shared, .separate] {
                let context = try LlamaContext(
                    model,
                    shape: ContextShape(
                        layout: layout, cells: 256, sequences: 2, batchTokens: 64, stepTokens: 32, outputs: 32,
                        threads: 1))
                try context.decode(Self.batch(tokens, count: 40, from: 0, sequence: 0))
                _ = try context.withDistribution(after: 39) { $0.mostLikely }
                try context.copy(sequence: 0, to: 1)
                try context.truncate(sequence: 1, from: 20)
                try context.decode(Self.batch(tokens, count: 20, from: 20, sequence: 1))
            }
        } catch {
            // Refused, which is as good as computing.
        }
    }

    private static func batch(_ tokens: [Int32], count: Int, from position: Int, sequence: Int32) -> LlamaBatch {
        var batch = LlamaBatch()
        for index in 0..<count {
            batch.append(
                tokens[index % tokens.count], position: position + index, sequence: sequence,
                wantsOutput: index == count - 1)
        }
        return batch
    }

    static let all: [HeaderVariant] = Self.metadata + Self.tensors + Self.tokenizers

    /// Every key of a llama model that llama.cpp reads, with values that it may not expect.
    private static let metadata: [HeaderVariant] = {
        let keys = [
            "attention.causal", "attention.clamp_kqv", "attention.group_norm_groups", "attention.head_count",
            "attention.head_count_kv", "attention.key_length", "attention.key_length_mla", "attention.kv_lora_rank",
            "attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.max_alibi_bias",
            "attention.relative_buckets_count", "attention.scale", "attention.sliding_window",
            "attention.sliding_window_pattern", "attention.temperature_length", "attention.value_length",
            "block_count", "classifier.output_labels", "context_length", "decoder_block_count",
            "embedding_length", "embedding_scale", "expert_count", "expert_feed_forward_length",
            "expert_gating_func", "expert_group_count", "expert_group_used_count", "expert_shared_count",
            "expert_used_count", "expert_weights_scale", "feed_forward_length", "final_logit_softcapping",
            "leading_dense_block_count", "logit_scale", "nextn_predict_layers", "pooling_type", "residual_scale",
            "rope.dimension_count", "rope.dimension_sections", "rope.freq_base", "rope.scale_linear",
            "rope.scaling.attn_factor", "rope.scaling.factor", "rope.scaling.original_context_length",
            "rope.scaling.type", "rope.scaling.yarn_log_multiplier", "ssm.state_size", "use_parallel_residual",
            "vocab_size",
        ].map { "llama.\($0)" }
        let more = [
            "general.alignment", "general.file_type", "split.count", "tokenizer.ggml.add_bos_token",
            "tokenizer.ggml.add_eos_token", "tokenizer.ggml.add_space_prefix", "tokenizer.ggml.bos_token_id",
            "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.merges",
            "tokenizer.ggml.pre", "tokenizer.ggml.suppress_tokens", "tokenizer.ggml.token_type_count",
        ]
        let values: [GGUFBuilder.Value] = [
            .uint32(0), .uint32(1), .uint32(3), .uint32(0x7fff_ffff), .uint32(.max), .float(0), .float(-1),
            .float(.nan), .float(1e30), .bool(false), .bool(true), .string("x"), .int32s([0, 0]), .int32s([2]),
            .int32s([-1]), .strings(["a"]),
        ]
        var all: [HeaderVariant] = []
        for key in keys + more {
            all.append(HeaderVariant(name: "\(key) left out") { $0.set(key, nil) })
            for value in values { all.append(HeaderVariant(name: "\(key) = \(value)") { $0.set(key, value) }) }
        }
        return all
    }()

    /// Other types (those of the same or of a smaller size), other shapes, and tensors that are missing.
    private static let tensors: [HeaderVariant] = TinyModel().builder().tensors.indices.flatMap { index in
        let types: [UInt32] = [1, 24, 25, 26, 28, 30]
        return types.map { type in
            HeaderVariant(name: "tensor \(index) of type \(type)") { $0.tensors[index].type = type }
        } + [
            HeaderVariant(name: "tensor \(index) missing") { $0.tensors.remove(at: index) },
            HeaderVariant(name: "tensor \(index) in one row") { builder in
                builder.tensors[index].dimensions = [builder.tensors[index].dimensions.reduce(1, *)]
            },
            HeaderVariant(name: "tensor \(index) turned") { $0.tensors[index].dimensions.reverse() },
        ]
    }

    /// Other kinds of tokenizers over the same tokens, and other types of these.
    private static let tokenizers: [HeaderVariant] = [
        "llama", "bert", "t5", "rwkv", "plamo2", "gpt2", "none", "no_vocab", "hybriddna", "whitespace", "test",
        "gemma4",
    ].flatMap { model in
        (Int32(0)...7).map { type in
            HeaderVariant(name: "tokenizer \(model), tokens of type \(type)") { builder in
                builder.set("tokenizer.ggml.model", .string(model))
                builder.set("tokenizer.ggml.scores", .floats(Array(repeating: 0, count: 320)))
                builder.set("tokenizer.ggml.token_type", .int32s(Array(repeating: type, count: 320)))
            }
        }
    }
}
