internal import CLlama
internal import Logging
internal import Synchronization

/// Takes llama.cpp's log lines: into the logger, and into the error of the call that failed.
///
/// llama.cpp has one log callback per process, so there is one router per process.
final class LogRouter: Sendable {
    static let shared = LogRouter()

    private struct State {
        var logger = Logger(label: "assay.llama")
        /// Lines at warning level and above of threads that are inside `capturing`.
        var captures: [ThreadID: [String]] = [:]
        /// The level of a thread's last line, for lines that continue it.
        var levels: [ThreadID: UInt32] = [:]
    }

    private let state = Mutex(State())

    /// The logger that lines go to: errors as warnings, everything else at debug and trace.
    var logger: Logger {
        get { self.state.withLock { $0.logger } }
        set { self.state.withLock { $0.logger = newValue } }
    }

    /// Installs the callback; until then llama.cpp writes to stderr.
    func install() {
        llama_log_set({ level, text, _ in LogRouter.shared.receive(level: level.rawValue, text: text) }, nil)
    }

    /// Runs `body` and returns, besides its result, what llama.cpp complained about on this thread meanwhile.
    func capturing<Result>(_ body: () -> Result) -> (result: Result, complaints: [String]) {
        let thread = ThreadID.current
        self.state.withLock { $0.captures[thread] = [] }
        let result = body()
        let complaints = self.state.withLock { $0.captures.removeValue(forKey: thread) ?? [] }
        return (result, complaints)
    }

    private func receive(level: UInt32, text: UnsafePointer<CChar>?) {
        guard let text else { return }
        let thread = ThreadID.current
        let line = String(cString: text).trimmingNewlines()
        let (logger, level) = self.state.withLock { state in
            let effective = level == GGML_LOG_LEVEL_CONT.rawValue ? state.levels[thread] ?? 0 : level
            state.levels[thread] = effective
            if effective >= GGML_LOG_LEVEL_WARN.rawValue, effective <= GGML_LOG_LEVEL_ERROR.rawValue, !line.isEmpty {
                // A failing call says why in a handful of lines.
                if let count = state.captures[thread]?.count, count < 20 { state.captures[thread]?.append(line) }
            }
            return (state.logger, effective)
        }
        guard !line.isEmpty, line != "." else { return }
        switch level {
        case GGML_LOG_LEVEL_ERROR.rawValue: logger.warning("\(line)")
        case GGML_LOG_LEVEL_WARN.rawValue, GGML_LOG_LEVEL_INFO.rawValue: logger.debug("\(line)")
        default: logger.trace("\(line)")
        }
    }
}

extension String {
    fileprivate func trimmingNewlines() -> String {
        var view = self.utf8[...]
        while let last = view.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { view.removeLast() }
        return String(Substring(view))
    }
}
