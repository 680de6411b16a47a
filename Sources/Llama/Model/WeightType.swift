internal import CLlama
internal import CLlamaCalls

/// How a model's weights are kept.
public enum WeightType: String, Sendable, Hashable, CaseIterable {
    case f32
    case f16
    case bf16
    case q8_0
    case q4_0
    case q4_1
    case q4_k_m
    case q6_k

    fileprivate var fileType: llama_ftype {
        switch self {
        case .f32: LLAMA_FTYPE_ALL_F32
        case .f16: LLAMA_FTYPE_MOSTLY_F16
        case .bf16: LLAMA_FTYPE_MOSTLY_BF16
        case .q8_0: LLAMA_FTYPE_MOSTLY_Q8_0
        case .q4_0: LLAMA_FTYPE_MOSTLY_Q4_0
        case .q4_1: LLAMA_FTYPE_MOSTLY_Q4_1
        case .q4_k_m: LLAMA_FTYPE_MOSTLY_Q4_K_M
        case .q6_k: LLAMA_FTYPE_MOSTLY_Q6_K
        }
    }
}

extension GGUFFile {
    /// Writes this model with weights of another type to `path`; llama.cpp keeps some of them in other types, where they do not
    /// fill its blocks.
    public func write(to path: String, as type: WeightType, threads: Int) throws(LlamaError) {
        LlamaBackend.started
        let ((isDone, failure), complaints) = LogRouter.shared.capturing {
            llamaCall { cllama_quantize(self.path, path, Int32(type.fileType.rawValue), Int32(threads), &$0) }
        }
        guard isDone else {
            let reasons = complaints + (failure.map { [$0] } ?? [])
            let reason = reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
            throw LlamaError(
                .loadFailed,
                "\(self.path): llama.cpp can't write it with \(type.rawValue) weights to \(path): \(reason)")
        }
    }
}
