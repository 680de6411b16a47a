public import Evaluation
internal import Llama
internal import Synchronization

/// Says of settings, before anything is submitted, whether an engine could ever run them on a model.
///
/// It reads models' headers alone, each once.
public final class SettingsCheck: Sendable {
    private let files = Mutex<[String: Result<GGUFFile, LlamaError>]>([:])

    public init() {}

    /// Why settings can't run on the model at `path`, whatever the device; `nil` if they can.
    ///
    /// - Parameter rules: Of them all, those that name tokens have the model's vocabulary loaded.
    public func problem(
        _ settings: EngineSettings, rules: TokenRules = TokenRules(), modelPath path: String
    ) -> String? {
        do throws(EngineError) {
            _ = try ResolvedSettings(settings, model: try self.file(path).translated.get())
            guard !rules.isEmpty else { return nil }
            let tokenizer = try LlamaTokenizer(modelPath: path)
            do throws(TaskError) {
                try rules.check(tokenizer)
                return nil
            } catch {
                return error.message
            }
        } catch {
            return error.message
        }
    }

    /// Why a model's tokens may be other ones than those of its own tokenizer; `nil` if nothing speaks for it.
    public func tokenizerDoubt(modelPath path: String) -> String? { try? self.file(path).get().tokenizer.doubt }

    private func file(_ path: String) -> Result<GGUFFile, LlamaError> {
        let known = self.files.withLock { $0[path] }
        let file = known ?? Result { () throws(LlamaError) in try GGUFFile(path: path) }
        if known == nil { self.files.withLock { $0[path] = file } }
        return file
    }
}

extension Result where Failure == LlamaError {
    fileprivate var translated: Result<Success, EngineError> { self.mapError(EngineError.init) }
}
