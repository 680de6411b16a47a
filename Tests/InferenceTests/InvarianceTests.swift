import EngineTesting
import Evaluation
import Foundation
import Llama
import Testing

@testable import Inference

/// Strict answers are the same bits, whatever else is computed.
@Suite struct InvarianceTests {
    /// A model whose weights fill the blocks of every type.
    private static func withModel<Result>(
        as type: WeightType, _ body: (String) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let source = try TinyModel(vocabulary: 600, contextLength: 1024, width: 256, heads: 4, layers: 2)
            .write(to: folder)
        let path = "\(folder)/model.gguf"
        try GGUFFile(path: source).write(to: path, as: type, threads: 1)
        return try await body(path)
    }

    @Test(arguments: WeightType.allCases)
    func strictAnswersDependOnTheirRequestsAlone(_ type: WeightType) async throws {
        try await Self.withModel(as: type) { path in
            let settings = EngineSettings(
                batchTokens: 128, maxSequences: 16, threads: 1, device: .cpu, invariance: .strict)
            let engine = try await LlamaEngine.load(modelPath: path, settings: settings)
            for finding in try await InvarianceCheck(engine, settings, groups: 2, longest: 160, seed: 3).run() {
                #expect(finding.isEqual, "\(finding)")
                #expect(finding.compared > 300)
            }
        }
    }

    /// The check can fail: packed as the plan goes, sums round by what is beside them.
    @Test func plansDependOnWhatIsComputedTogether() async throws {
        try await Self.withModel(as: .q4_k_m) { path in
            let settings = EngineSettings(batchTokens: 128, maxSequences: 16, threads: 1, device: .cpu)
            let engine = try await LlamaEngine.load(modelPath: path, settings: settings)
            let findings = try await InvarianceCheck(engine, settings, groups: 1, longest: 160).run()
            #expect(findings.contains { !$0.isEqual })
            #expect(findings.allSatisfy { $0.equal <= $0.compared && $0.largestDifference < 10 })
        }
    }

    /// With few tokens to a step there are cells enough, and slots that only fill up blocks.
    @Test func strictWorksAtTheEdges() async throws {
        let model = try TinyModel(contextLength: 512).write()
        defer { try? FileManager.default.removeItem(atPath: model) }
        let settings = EngineSettings(
            maxLength: 512, batchTokens: 32, maxSequences: 256, generationSlots: 1, threads: 1, device: .cpu,
            invariance: .strict)
        let engine = try await LlamaEngine.load(modelPath: model, settings: settings)
        let prompt = (0..<506).map { Int32($0 % 300) }
        let choices = (0..<60).map { choice in
            EngineRequest.score(
                ScoringRequest(tokens: Array(prompt.prefix(3)) + [Int32(choice)], scoredFrom: 3))
        }
        let full = [
            EngineRequest.score(ScoringRequest(tokens: prompt + prompt.prefix(7), scoredFrom: 1)),
            .generate(GenerationRequest(prompt: prompt, stop: [], maxTokens: 6, endTokens: [])),
            .generate(GenerationRequest(prompt: [5], stop: [], maxTokens: 1, endTokens: [])),
        ]
        let together = try await engine.run(choices + full)
        for (request, response) in zip(choices + full, together) {
            #expect(try await engine.run([request]) == [response])
        }
        await #expect(throws: EngineError.self) {
            let odd = try TinyModel(contextLength: 500).write()
            defer { try? FileManager.default.removeItem(atPath: odd) }
            // A whole block more than the model was made for.
            _ = try await LlamaEngine.load(
                modelPath: odd, settings: EngineSettings(maxLength: 500, threads: 1, device: .cpu, invariance: .strict))
        }
    }

    /// A cache for fewer texts than a block has can't be filled up.
    @Test func strictGenerationNeedsRoomForABlock() async throws {
        let settings = EngineSettings(
            maxLength: 512, cacheBytes: 1 << 20, threads: 1, device: .cpu, invariance: .strict)
        let file = try GGUFFile(path: tinyModelPath)
        let error = #expect(throws: EngineError.self) {
            _ = try ResolvedSettings(settings, model: file).generationShape(texts: 3, length: 500)
        }
        #expect(error?.code == .settings)
    }

    /// What can't be computed so is refused, before anything is submitted: experts get as many rows as are routed to them, and
    /// heads of odd lengths have sums without blocks.
    @Test func modelsThatCanNotBeStrictAreRefused() throws {
        let odd = try TinyModel(width: 36, heads: 2).write()
        let experts = try TinyModel(change: { builder in
            // Q6_K: 256 numbers in 210 bytes.
            builder.tensors.append(("blk.0.ffn_down_exps.weight", [256, 4], 14, UInt64(builder.data.count)))
            builder.data += [UInt8](repeating: 0, count: 864)
        }).write()
        defer { for path in [odd, experts] { try? FileManager.default.removeItem(atPath: path) } }
        for (path, problem) in [(odd, "18 values"), (experts, "q6_K weights")] {
            let file = try GGUFFile(path: path)
            let error = #expect(throws: EngineError.self) {
                _ = try ResolvedSettings(EngineSettings(device: .cpu, invariance: .strict), model: file)
            }
            #expect(error?.code == .settings && error?.message.contains(problem) == true, "\(error?.message ?? "")")
            _ = try ResolvedSettings(EngineSettings(device: .cpu), model: file)
        }
    }

    /// What is left in memory of an output that was no number must not come to others, and the right request is blamed.
    @Test(arguments: [Invariance.plan, .strict])
    func outputsThatAreNoNumbersSpoilNothingElse(_ invariance: Invariance) async throws {
        let bad: Int32 = 290
        let path = try TinyModel(change: { builder in
            guard let weights = builder.tensors.first(where: { $0.name == "token_embd.weight" }) else { return }
            // Outputs have weights of their own, or they would never be numbers.
            builder.tensors.append(("output.weight", weights.dimensions, 0, UInt64(builder.data.count)))
            builder.data += builder.data[Int(weights.offset)..<(Int(weights.offset) + 320 * 16 * 4)]
            let row = Int(weights.offset) + Int(bad) * 16 * 4
            for byte in stride(from: row, to: row + 64, by: 4) {
                builder.data.replaceSubrange(byte..<(byte + 4), with: [0, 0, 0xc0, 0x7f])
            }
        }).write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let engine = try await LlamaEngine.load(
            modelPath: path,
            settings: EngineSettings(
                batchTokens: 256, maxSequences: 16, threads: 1, device: .cpu, invariance: invariance))
        func score(_ tokens: [Int32]) -> EngineRequest { .score(ScoringRequest(tokens: tokens, scoredFrom: 1)) }
        let good = (0..<6).map { start in score((0..<30).map { Int32(start * 20 + $0) }) }
        let expected = try await engine.run(good)
        let spoiled = score((0..<200).map { $0 % 3 == 0 ? bad : Int32($0) })
        let error = await engineError { () async throws(EngineError) in
            try await engine.run(Array(good.prefix(3)) + [spoiled] + good.suffix(3))
        }
        #expect(error?.code == .notFinite && error?.requestIndex == 3, "\(String(describing: error))")
        #expect(try await engine.run(good) == expected)
        let text = EngineRequest.generate(GenerationRequest(prompt: [5, bad, 7], stop: [], maxTokens: 4))
        let other = await engineError { () async throws(EngineError) in try await engine.run([good[0], text]) }
        #expect(other?.code == .notFinite && other?.requestIndex == 1, "\(String(describing: other))")
        #expect(try await engine.run(good) == expected)
    }
}
