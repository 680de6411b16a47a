internal import Evaluation
public import Llama

/// What of an engine's identity no model and no setting decides: results of workers that have it in common are comparable to
/// the last bit.
public enum EngineFingerprint {
    /// The name of the engine in results.
    static let engineName = "llama.cpp"

    /// llama.cpp on a device, as a JSON object with sorted keys: engine, build, kind of device, what of the machine decides
    /// how it rounds, and how requests become batches.
    public static func json(of device: LlamaDevice) -> String {
        Self.json(build: LlamaBackend.build, deviceKind: device.computeKind, traits: device.traits)
    }

    static func json(build: String, deviceKind: String, traits: [String: String]) -> String {
        let own = [
            "engine": Self.engineName, "build": build, "device_kind": deviceKind,
            "plan_version": "\(ResolvedSettings.planVersion)",
        ]
        let members = traits.merging(own) { _, own in own }.sorted { $0.key < $1.key }.map { name, value in
            JSONValue.string(name).text() + ":" + JSONValue.string(value).text()
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}
