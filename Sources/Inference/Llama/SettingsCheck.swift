internal import Llama
internal import Synchronization

/// Says of settings, before anything is submitted, whether an engine could ever run them on a model.
///
/// It reads models' headers alone, each once.
public final class SettingsCheck: Sendable {
    private let files = Mutex<[String: Result<GGUFFile, LlamaError>]>([:])

    public init() {}

    /// Why settings can't run on the model at `path`, whatever the device; `nil` if they can.
    public func problem(_ settings: EngineSettings, modelPath path: String) -> String? {
        let known = self.files.withLock { $0[path] }
        let file = known ?? Result { () throws(LlamaError) in try GGUFFile(path: path) }
        if known == nil { self.files.withLock { $0[path] = file } }
        do throws(EngineError) {
            _ = try ResolvedSettings(settings, model: try file.translated.get())
            return nil
        } catch {
            return error.message
        }
    }
}

extension Result where Failure == LlamaError {
    fileprivate var translated: Result<Success, EngineError> { self.mapError(EngineError.init) }
}
