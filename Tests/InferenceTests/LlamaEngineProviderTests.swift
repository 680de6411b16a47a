import Evaluation
import Foundation
import Llama
import Logging
import Testing

@testable import Inference

/// Which engine a job gets, and what is wrong with a model's file.
@Suite struct LlamaEngineProviderTests {
    /// A copy of the tiny model that may be changed; it goes away with the value.
    private final class ModelFile: Sendable {
        let path = NSTemporaryDirectory() + "assay-provider-\(UUID().uuidString).gguf"

        init() throws { try FileManager.default.copyItem(atPath: tinyModelPath, toPath: self.path) }

        deinit { try? FileManager.default.removeItem(atPath: self.path) }

        func job(sha256: String? = nil, batchTokens: Int = 64) async throws -> JobSpecification {
            let hash: String
            if let sha256 { hash = sha256 } else { hash = try await ModelHashing.sha256(path: self.path) }
            return JobSpecification(
                model: .init(name: "tiny", path: self.path, sha256: hash, tokenizerSHA256: ""),
                task: .init(name: "t", hash: "", configuration: "{}"), dataSet: .init(sha256: "", rows: 1),
                settings: .init(
                    maxLength: nil, batchTokens: batchTokens, maxSequences: 16, generationSlots: 4, logits: .none,
                    shardSize: 1))
        }
    }

    private static func provider() -> LlamaEngineProvider {
        LlamaEngineProvider(
            device: .cpu, threads: 1, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func oneEngineIsKeptForJobsThatAreAlike() async throws {
        let (file, provider) = (try ModelFile(), Self.provider())
        let (job, other) = (try await file.job(), try await file.job(batchTokens: 32))
        #expect(await provider.loadedEngine(for: job) == nil)
        let identity = try await provider.identity(for: job)
        // That took no engine.
        #expect(await provider.loadedEngine(for: job) == nil)
        let engine = try await provider.engine(for: job) {}
        #expect(engine.identity == identity && identity.modelSHA256 == job.model.sha256)
        #expect(await provider.loadedEngine(for: job) != nil)
        #expect(await provider.loadedEngine(for: other) == nil)
        #expect(try await provider.engine(for: other) {}.identity != identity)
        #expect(await provider.loadedEngine(for: job) == nil)
        #expect(await provider.loadedEngine(for: other) != nil)
    }

    @Test func aFileThatIsNotTheRegisteredOneIsNotLoaded() async throws {
        let (file, provider) = (try ModelFile(), Self.provider())
        let found = try await ModelHashing.sha256(path: file.path)
        let job = try await file.job(sha256: String(repeating: "a", count: 64))
        for _ in 0..<2 {
            let error = await #expect(throws: EngineError.self) { try await provider.engine(for: job) {} }
            #expect(error?.code == .modelUnavailable && error?.code.isTransient == true)
            #expect(error?.message.contains("its sha256 is \(found), not \(job.model.sha256)") == true)
        }
        await #expect(throws: EngineError.self) { try await provider.identity(for: job) }
        #expect(await provider.loadedEngine(for: job) == nil)
        // The same file under its own hash is what another job may ask for.
        _ = try await provider.engine(for: try await file.job()) {}
    }

    @Test func aMissingFileMayBeOnAnotherMachine() async throws {
        let (file, provider) = (try ModelFile(), Self.provider())
        let job = try await file.job()
        try FileManager.default.removeItem(atPath: file.path)
        let error = await #expect(throws: EngineError.self) { try await provider.engine(for: job) {} }
        #expect(error?.code == .modelUnavailable)
        #expect(error?.message.contains("the file of model 'tiny' can't be read on this machine") == true)
    }

    @Test func aRegisteredFileThatIsNoModelIsWrongEverywhere() async throws {
        let (file, provider) = (try ModelFile(), Self.provider())
        try "no model".write(toFile: file.path, atomically: true, encoding: .utf8)
        let job = try await file.job()
        let error = await #expect(throws: EngineError.self) { try await provider.engine(for: job) {} }
        #expect(error?.code == .modelUnreadable && error?.code.isTransient == false)
    }

    @Test func theCPUIsNamedAsJobsAskForIt() async throws {
        let device = try await EngineDevice.of(.cpu)
        #expect(device.name == "cpu" && device.kind == "cpu" && device.gpuMegabytes == 0)
        #expect(device.engineBuild == LlamaBackend.build)
        #expect(device.fingerprint == EngineFingerprint.json(of: try DeviceChoice.cpu.device()))
    }
}
