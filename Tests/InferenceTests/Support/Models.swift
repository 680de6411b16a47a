import Evaluation
import Foundation
import Llama
import Testing

@testable import Inference

/// A llama model with random weights; made by Fixtures/make_tiny_model.py.
let tinyModelPath = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/tiny.gguf").path

/// One engine on the tiny model; threads of llama.cpp wait in busy loops, so tests take one each.
func tinyEngine(
    batchTokens: Int = 64, maxSequences: Int = 16, generationSlots: Int = 4, threads: Int = 1, maxLength: Int? = nil,
    invariance: Invariance = .plan
) async throws -> LlamaEngine {
    try await LlamaEngine.load(
        modelPath: tinyModelPath,
        settings: EngineSettings(
            maxLength: maxLength, batchTokens: batchTokens, maxSequences: maxSequences,
            generationSlots: generationSlots, threads: threads, device: .cpu, invariance: invariance))
}

/// The real model of the tests: ASSAY_TEST_MODEL, else in the cache that infra/test fills.
func realModelPath() throws -> String {
    try modelPath("ASSAY_TEST_MODEL", "SmolLM2-135M-Instruct.Q4_1.gguf")
}

/// The same model with 32-bit weights: ASSAY_TEST_MODEL_F32, else in the cache that infra/test fills.
func dequantisedModelPath() throws -> String {
    try modelPath("ASSAY_TEST_MODEL_F32", "SmolLM2-135M-Instruct.F32.gguf")
}

private func modelPath(_ variable: String, _ name: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HOME"] ?? "/root"
    let cache = environment["ASSAY_CACHE"] ?? (environment["XDG_CACHE_HOME"] ?? home + "/.cache") + "/assay"
    let path = environment[variable] ?? cache + "/models/\(name)"
    try #require(
        FileManager.default.isReadableFile(atPath: path), "\(path) is missing: run infra/test, or set \(variable)")
    return path
}
