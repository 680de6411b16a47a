import EngineTesting
import Evaluation
import Foundation
import Llama
import Testing

@testable import Inference

/// Memory for keys and values: as much as a device has, within the limit of the settings.
@Suite struct CacheTests {
    private func file(_ model: TinyModel, _ body: (String) async throws -> Void) async throws {
        let path = try model.write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    /// A kilobyte of keys and values for each token.
    private static let long = TinyModel(contextLength: 262_144, width: 64, heads: 4, layers: 2)

    @Test func aLongContextRunsWhereItFits() async throws {
        try await self.file(Self.long) { path in
            let engine = try await LlamaEngine.load(
                modelPath: path,
                settings: EngineSettings(maxLength: 200_000, batchTokens: 32, maxSequences: 2, threads: 1, device: .cpu)
            )
            #expect(engine.maxLength == 200_000)
            // Longer than any default.
            let tokens = (0..<9000).map { Int32(2 + $0 * 7 % 300) }
            let answers = try await engine.run([
                .score(.init(tokens: tokens, scoredFrom: 8998)),
                .generate(.init(prompt: Array(tokens.prefix(500)), stop: [], maxTokens: 2)),
            ])
            #expect(answers[0].score?.tokenLogProbs.count == 2)
            #expect(answers[1].generation != nil)
        }
    }

    @Test func aLimitIsRefusedWithItsNumbersAndTheRemedy() async throws {
        try await self.file(Self.long) { path in
            let settings = EngineSettings(maxLength: 200_000, cacheBytes: 64 << 20, threads: 1, device: .cpu)
            // Two layers of keys and values with 64 numbers of 32 bits.
            let error = await engineError { () async throws(EngineError) in
                try await LlamaEngine.load(modelPath: path, settings: settings)
            }
            #expect(error?.code == .settings)
            for word in ["max_length 200000", "take 196 MiB", "cache_mb allows 64", "set cache_mb to at least 196"] {
                #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
            }
            #expect(SettingsCheck().problem(settings, modelPath: path) == error?.message)
            let raised = EngineSettings(maxLength: 200_000, cacheBytes: 196 << 20, threads: 1, device: .cpu)
            #expect(SettingsCheck().problem(raised, modelPath: path) == nil)
        }
    }

    @Test func whatNoDeviceHasIsRefusedBeforeItIsTaken() async throws {
        let memory = try #require(LlamaDevice.all().first { $0.kind == .cpu }).totalMemory
        try await self.file(TinyModel(contextLength: 16_000_000, width: 256, heads: 4, layers: 16)) { path in
            // Twice what the machine has, at 32 KiB a token.
            let length = min(2 * memory / 32_768, 15_000_000)
            let engine = try await LlamaEngine.load(
                modelPath: path, settings: EngineSettings(maxLength: length, threads: 1, device: .cpu))
            // Only what a shard needs is taken.
            #expect(try await engine.run([.score(.init(tokens: [0, 1, 2], scoredFrom: 2))]).count == 1)
            let error = await engineError { () async throws(EngineError) in
                try await engine.run([.generate(.init(prompt: [0, 1, 2], stop: [], maxTokens: length - 3))])
            }
            #expect(error?.code == .outOfMemory)
            for word in ["MiB for", "for keys and values", "lower max_length, batch_tokens or cache_mb"] {
                #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
            }
        }
    }

    /// Slots decide how sums round, so they come from settings and requests alone.
    @Test func slotsAreAFunctionOfTheSettings() throws {
        let path = try TinyModel(contextLength: 1 << 22, width: 64, heads: 4, layers: 2).write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try GGUFFile(path: path)
        #expect(file.cacheBytesPerToken == 2 * 2 * 64 * 4)
        func slots(_ length: Int, cacheBytes: Int? = nil, texts: Int = 100) throws -> Int {
            try ResolvedSettings(
                EngineSettings(maxLength: 1 << 21, cacheBytes: cacheBytes, threads: 1, device: .cpu), model: file
            ).generationShape(texts: texts, length: length).sequences
        }
        #expect(try slots(1000) == 16)
        #expect(try slots(1000, texts: 3) == 3)
        // 4 GiB hold 4,194,304 tokens.
        #expect(try slots(1 << 20) == 4)
        #expect(try slots(1 << 20, cacheBytes: 8 << 30) == 8)
        #expect(try slots(1 << 21) == 2)
        #expect(try slots(3 << 20) == 1)
        // Where nothing was set, the last one has no limit but the device's.
        #expect(try slots(5 << 20) == 1)
        #expect(throws: EngineError.self) { try slots(5 << 20, cacheBytes: 4 << 30) }
    }
}
