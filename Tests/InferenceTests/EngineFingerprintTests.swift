import Foundation
import Llama
import Testing

@testable import Inference

@Suite struct EngineFingerprintTests {
    @Test func itIsJSONWithSortedKeys() {
        let json = EngineFingerprint.json(
            build: "b\"1", deviceKind: "cpu-avx2", traits: ["cpu_features": "AVX2,FMA", "gpu_driver": "none"])
        #expect(
            json == #"{"build":"b\"1","cpu_features":"AVX2,FMA","device_kind":"cpu-avx2","engine":"llama.cpp","#
                + #""gpu_driver":"none","plan_version":"\#(ResolvedSettings.planVersion)"}"#)
    }

    /// Each thing that a result's identity says and that no model or setting decides.
    @Test func itSaysWhatResultsSayOfTheDevice() async throws {
        let device = try DeviceChoice.cpu.device()
        let members = try JSONDecoder().decode(
            [String: String].self, from: Data(EngineFingerprint.json(of: device).utf8))
        let engine = try await tinyEngine()
        #expect(members["engine"] == engine.identity.engine)
        #expect(members["build"] == engine.identity.engineBuild)
        #expect(members["device_kind"] == engine.identity.deviceKind)
        for (name, value) in members where !["engine", "build", "device_kind"].contains(name) {
            #expect(engine.identity.settings[name] == value, "\(name)")
        }
    }
}
