import EngineTesting
import Evaluation
import Foundation
import Llama
import Testing

@testable import Inference

/// Settings over the whole range that job files accept: every combination works or is refused.
@Suite(.serialized) struct SettingsRangeTests {
    /// llama.cpp ends the process over some numbers, so each part runs in a process of its own; the last case it wrote down
    /// says which.
    @Test(arguments: 0..<4) func noSettingEndsTheProcess(_ seed: Int) async throws {
        let diary = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: diary) }
        let result = await #expect(processExitsWith: .success) { [seed = seed as Int, diary = diary as String] in
            try await SettingsCase.runAll(seed: UInt64(seed), diary: diary)
        }
        if result == nil {
            let last = (try? String(contentsOfFile: diary, encoding: .utf8)) ?? "before the first case"
            Issue.record("seed \(seed) ended at \(last)")
        }
    }

    /// What an audit found: more sequences than outputs, because batches are small or vocabularies large.
    @Test(arguments: [(64, 128, 320), (32, 256, 320), (512, 256, 262_208)])
    func moreSequencesThanOutputs(_ batchTokens: Int, _ maxSequences: Int, _ vocabulary: Int) async throws {
        let path = try TinyModel(vocabulary: vocabulary).write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        await #expect(processExitsWith: .success) {
            [path = path as String, batchTokens = batchTokens as Int, maxSequences = maxSequences as Int] in
            let engine = try await LlamaEngine.load(
                modelPath: path,
                settings: EngineSettings(
                    batchTokens: batchTokens, maxSequences: maxSequences, threads: 1, device: .cpu))
            let requests = (2..<302).map { EngineRequest.score(.init(tokens: [0, 5, Int32($0)], scoredFrom: 2)) }
            #expect(try await engine.run(requests).count == 300)
        }
    }

    /// A model's own length may be a hundred thousand tokens: contexts have room for what a shard needs.
    @Test func contextsThatScoreHaveRoomForTheLongestRequestAlone() throws {
        let path = try TinyModel(contextLength: 100_000).write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let settings = try ResolvedSettings(EngineSettings(maxLength: 100_000), model: try GGUFFile(path: path))
        #expect(settings.scoringShape(longest: 1).cells == settings.scoringShape(longest: 2048).cells)
        #expect(settings.scoringShape(longest: 2049).cells < 5000)
        #expect(settings.scoringShape(longest: 99_999).cells >= 100_000)
    }

    /// One text each in more slots than a batch has tokens.
    @Test func moreSlotsThanABatchHasTokens() async throws {
        let engine = try await tinyEngine(batchTokens: 32, generationSlots: 100)
        let requests = (0..<120).map { number in
            EngineRequest.generate(.init(prompt: [0, Int32(2 + number)], stop: [], maxTokens: 3))
        }
        #expect(try await engine.run(requests).compactMap(\.generation).count == 120)
    }
}

/// One combination of settings, and work that fills it.
private struct SettingsCase: CustomStringConvertible {
    var vocabulary: Int
    var settings: EngineSettings

    static let contextLength = 4096

    var description: String {
        "vocabulary \(self.vocabulary), max_length \(self.settings.maxLength ?? 0), batch_tokens "
            + "\(self.settings.batchTokens), max_sequences \(self.settings.maxSequences), generation_slots "
            + "\(self.settings.generationSlots), cache_mb \((self.settings.cacheBytes ?? 0) >> 20)"
    }

    init(_ generator: inout SeededGenerator, vocabulary: Int) {
        func any(_ edges: [Int], _ range: ClosedRange<Int>) -> Int {
            if Bool.random(using: &generator) { return edges.randomElement(using: &generator) ?? range.lowerBound }
            // Small numbers are as likely as large ones.
            let bits = Int.random(in: 0...20, using: &generator)
            return min(max(Int.random(in: 0...(1 << bits), using: &generator), range.lowerBound), range.upperBound)
        }
        self.vocabulary = vocabulary
        self.settings = EngineSettings(
            maxLength: any([16, 17, 255, 256, 257, 511, 512, 4095, 4096], 16...Self.contextLength),
            batchTokens: any([32, 33, 63, 64, 127, 128, 255, 256, 511, 512, 513, 1_000_000], 32...1_000_000),
            maxSequences: any([2, 3, 31, 32, 33, 127, 128, 255, 256], 2...256),
            generationSlots: any([1, 2, 31, 32, 33, 254, 255], 1...255),
            cacheBytes: Bool.random(using: &generator) ? nil : any([1, 2, 4096], 1...65536) << 20,
            threads: 1, device: .cpu)
    }

    static func runAll(seed: UInt64, diary: String) async throws {
        var generator = SeededGenerator(seed: seed)
        for vocabulary in [320, 5000, 70_000, seed == 0 ? 262_208 : 320] {
            let path = try TinyModel(vocabulary: vocabulary, contextLength: Self.contextLength).write()
            defer { try? FileManager.default.removeItem(atPath: path) }
            for _ in 0..<(vocabulary > 5000 ? 3 : 12) {
                let one = SettingsCase(&generator, vocabulary: vocabulary)
                try one.description.write(toFile: diary, atomically: false, encoding: .utf8)
                try await one.run(path, seed: seed)
            }
        }
    }

    private func run(_ path: String, seed: UInt64) async throws {
        // What is said when a job is submitted.
        let problem = SettingsCheck().problem(self.settings, modelPath: path)
        do throws(EngineError) {
            let engine = try await LlamaEngine.load(modelPath: path, settings: self.settings)
            let longest = min(engine.maxLength, 200)
            var requests = randomRequests(seed: seed, vocabulary: 300, longest: longest).map(EngineRequest.score)
            // More short continuations than a batch has sequences; a window as long as can be.
            requests += (0..<300).map { .score(.init(tokens: [0, 5, Int32(2 + $0 % 300)], scoredFrom: 2)) }
            requests.append(
                .score(.init(tokens: (0...longest).map { Int32(2 + $0 % 300) }, scoredFrom: 1)))
            requests += (0..<(self.settings.generationSlots + 3)).map { number in
                .generate(.init(prompt: [0, Int32(2 + number % 300)], stop: [], maxTokens: 2))
            }
            let answers = try await engine.run(requests)
            #expect(answers.count == requests.count && problem == nil, "\(self): \(problem ?? "")")
        } catch {
            // What can't run is refused with the reason, before it is tried.
            #expect([.settings, .outOfMemory].contains(error.code), "\(self): \(error)")
            #expect((problem != nil) == (error.code == .settings), "\(self): \(problem ?? "nothing"); \(error)")
        }
    }
}
