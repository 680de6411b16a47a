internal import Evaluation

/// What answers: everything besides the requests that answers may depend on.
public struct EngineIdentity: Sendable, Hashable, Codable {
    /// The engine's name, such as "llama.cpp".
    public var engine: String
    /// The exact build of the engine.
    public var engineBuild: String
    /// The kind of device with what decides its rounding, such as "cpu-avx512" or "NVIDIA H100 80GB HBM3".
    public var deviceKind: String
    /// The model's own name for itself, else its file's name.
    public var modelName: String
    /// The SHA-256 of the model's bytes in hexadecimal digits, as far as known.
    public var modelSHA256: String?
    /// The SHA-256 of everything that defines the tokenizer in hexadecimal digits, as far as known.
    public var tokenizerSHA256: String?
    /// What else may change low bits of answers (such as the size of batches), by name; nothing of what was scored again from
    /// results that do not tell of it.
    public var settings: [String: String]
    /// `settings` as a JSON object with sorted keys, numbers as numbers.
    public var settingsJSON: String {
        let members = self.settings.sorted { $0.key < $1.key }.map { name, value in
            JSONValue.string(name).text() + ":" + (Int(value).map(JSONValue.int) ?? .string(value)).text()
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    public init(
        engine: String, engineBuild: String, deviceKind: String, modelName: String, modelSHA256: String? = nil,
        tokenizerSHA256: String? = nil, settings: [String: String] = [:]
    ) {
        self.engine = engine
        self.engineBuild = engineBuild
        self.deviceKind = deviceKind
        self.modelName = modelName
        self.modelSHA256 = modelSHA256
        self.tokenizerSHA256 = tokenizerSHA256
        self.settings = settings
    }
}
