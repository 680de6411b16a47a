internal import Llama

extension EngineError {
    /// What a failure of llama.cpp means to the caller of the engine.
    init(_ error: LlamaError) {
        let code: Code =
            switch error.code {
            case .deviceUnavailable: .deviceUnavailable
            case .fileUnreadable, .loadFailed, .malformedFile: .modelUnreadable
            case .limitExceeded: .invalidRequest
            case .outOfMemory: .outOfMemory
            case .unsupported: .modelUnsupported
            default: .decodeFailed
            }
        self.init(code, error.message)
    }
}

/// Runs `body`, whose failure becomes an `EngineError`.
func translatingErrors<Result>(_ body: () throws(LlamaError) -> Result) throws(EngineError) -> Result {
    do throws(LlamaError) {
        return try body()
    } catch {
        throw EngineError(error)
    }
}
