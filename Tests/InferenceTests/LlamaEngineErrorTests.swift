import Evaluation
import Foundation
import Llama
import Testing

@testable import Inference

@Suite struct LlamaEngineErrorTests {
    @Test func malformedRequestsAreNamed() async throws {
        let engine = try await tinyEngine(maxLength: 100)
        let good = EngineRequest.score(.init(tokens: [0, 1], scoredFrom: 1))
        let long = [Int32](repeating: 3, count: 102)
        let wrong: [(EngineRequest, EngineError.Code)] = [
            (.score(.init(tokens: [1], scoredFrom: 1)), .invalidRequest),
            (.score(.init(tokens: [1, 2], scoredFrom: 0)), .invalidRequest),
            (.score(.init(tokens: [1, 2], scoredFrom: 2)), .invalidRequest),
            (.score(.init(tokens: [1, 318], scoredFrom: 1)), .invalidRequest),
            (.score(.init(tokens: [-1, 3], scoredFrom: 1)), .invalidRequest),
            (.score(.init(tokens: long, scoredFrom: 1)), .requestTooLong),
            (.generate(.init(prompt: [], stop: [], maxTokens: 1)), .invalidRequest),
            (.generate(.init(prompt: [1], stop: [], maxTokens: 0)), .invalidRequest),
            (.generate(.init(prompt: [1], stop: [], maxTokens: 100)), .requestTooLong),
            (.generate(.init(prompt: [1], stop: [], maxTokens: .max)), .requestTooLong),
        ]
        for (request, code) in wrong {
            let error = await engineError { () async throws(EngineError) in try await engine.run([good, request]) }
            #expect(error?.code == code)
            #expect(error?.requestIndex == 1)
            #expect(error?.code.isTransient == false)
        }
        // As long as can be.
        let fits = EngineRequest.score(.init(tokens: Array(long.prefix(101)), scoredFrom: 1))
        #expect(try await engine.run([fits, .generate(.init(prompt: [1], stop: [], maxTokens: 99))]).count == 2)
        #expect(try await engine.run([]).isEmpty)
    }

    private func loadError(_ path: String, _ settings: EngineSettings) async -> EngineError? {
        await engineError { () async throws(EngineError) in
            try await LlamaEngine.load(modelPath: path, settings: settings)
        }
    }

    @Test func wrongSettingsAreNamed() async {
        for (settings, word) in [
            (EngineSettings(maxLength: 513, device: .cpu), "max_length"),
            (EngineSettings(maxLength: 1, device: .cpu), "max_length"),
            (EngineSettings(batchTokens: 1, device: .cpu), "batch_tokens"),
            (EngineSettings(maxSequences: 1, device: .cpu), "max_sequences"),
            (EngineSettings(maxSequences: 257, device: .cpu), "max_sequences"),
            (EngineSettings(generationSlots: 0, device: .cpu), "generation_slots"),
            (EngineSettings(generationSlots: 256, device: .cpu), "generation_slots"),
            (EngineSettings(cacheBytes: 1000, device: .cpu), "cache_mb"),
            (EngineSettings(threads: 0, device: .cpu), "threads"),
        ] {
            let error = await self.loadError(tinyModelPath, settings)
            #expect(error?.code == .settings)
            #expect(error?.message.contains(word) == true)
        }
        #expect(await self.loadError(tinyModelPath, EngineSettings(device: .cuda(99)))?.code == .deviceUnavailable)
        #expect(await self.loadError("/nowhere.gguf", EngineSettings(device: .cpu))?.code == .modelUnreadable)
    }

    @Test func truncatedModelsAreRefused() async throws {
        let whole = try Data(contentsOf: URL(filePath: tinyModelPath))
        let url = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString).gguf")
        defer { try? FileManager.default.removeItem(at: url) }
        try whole.prefix(whole.count - 1).write(to: url)
        let error = await self.loadError(url.path, EngineSettings(device: .cpu))
        #expect(error?.code == .modelUnreadable)
        #expect(error?.message.contains("truncated") == true)
    }

    @Test func aCancelledShardEndsSoon() async throws {
        let engine = try await tinyEngine()
        let requests = (0..<2000).map { number in
            EngineRequest.score(.init(tokens: (0..<40).map { Int32(2 + (number + $0 * number) % 300) }, scoredFrom: 20))
        }
        let steps = Recorder()
        let task = Task {
            await engineError { () async throws(EngineError) in
                try await engine.run(requests) { progress in
                    steps.append(progress)
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
        }
        let error = await task.value
        #expect(error?.code == .cancelled)
        #expect(error?.code.isTransient == true)
        #expect(steps.values.count == 1)
        // The engine is as good as new.
        #expect(try await engine.run(Array(requests.prefix(3))).count == 3)
    }

    @Test func theIdentitySaysWhatAnswers() async throws {
        let engine = try await tinyEngine()
        let identity = engine.identity
        #expect(identity.engine == "llama.cpp")
        #expect(identity.engineBuild.contains("llama.cpp"))
        #expect(identity.deviceKind.hasPrefix("cpu"))
        #expect(identity.modelName == "tiny")
        #expect(identity.modelSHA256 == "1d68bf8d4f3d501816e9aedd02b64e7bbb876032c79609b2b1bbeb5c67f4f4fd")
        #expect(identity.tokenizerSHA256?.count == 64)
        var settings = identity.settings
        #expect(settings.removeValue(forKey: "cpu_features")?.isEmpty == false)
        #expect(
            settings == [
                "max_length": "512", "batch_tokens": "64", "max_sequences": "16", "generation_slots": "4",
                "cache_bytes": "\(4 << 30)", "micro_batch": "64", "outputs": "64", "kv_type": "f32",
                "flash_attention": "off", "plan_version": "\(ResolvedSettings.planVersion)", "invariance": "plan",
            ])
        #expect(identity.settingsJSON.hasPrefix(#"{"batch_tokens":64,"cache_bytes":4294967296,"cpu_features":""#))
        #expect(engine.maxLength == 512)
        #expect(engine.tokenizer.prefixToken == 0)
        #expect(try engine.tokenizer.encode("the", addSpecial: true).first == 0)
        #expect(try LlamaTokenizer(modelPath: tinyModelPath).encode(" the question", addSpecial: false).count < 8)
    }

    /// What changes bits is in the identity, and nothing else is.
    @Test func theIdentityDependsOnWhatAnswersDependOn() async throws {
        let usual = try await tinyEngine().identity
        let others = [
            try await tinyEngine(batchTokens: 65), try await tinyEngine(maxSequences: 17),
            try await tinyEngine(generationSlots: 5), try await tinyEngine(maxLength: 511),
            try await LlamaEngine.load(
                modelPath: tinyModelPath,
                settings: EngineSettings(
                    batchTokens: 64, maxSequences: 16, generationSlots: 4, cacheBytes: 1 << 30, device: .cpu)),
        ].map(\.identity.settingsJSON)
        #expect(Set(others + [usual.settingsJSON]).count == 6)
        #expect(try await tinyEngine(threads: 2).identity == usual)
        #expect(try await tinyEngine(maxLength: 512).identity == usual)
        // Sizes of batches are no part of what strict answers depend on.
        let strict = try await tinyEngine(invariance: .strict).identity
        var settings = strict.settings
        #expect(settings.removeValue(forKey: "cpu_features")?.isEmpty == false)
        #expect(
            settings == [
                "invariance": "strict", "block": "16", "strict_version": "\(ResolvedSettings.strictVersion)",
                "max_length": "512", "kv_type": "f32", "flash_attention": "off",
            ])
        #expect(
            try await tinyEngine(batchTokens: 100, maxSequences: 5, generationSlots: 7, invariance: .strict).identity
                == strict)
        #expect(try await tinyEngine(maxLength: 400, invariance: .strict).identity != strict)
    }
}
