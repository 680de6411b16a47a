internal import CLlama
internal import CLlamaCalls
public import Logging
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// llama.cpp as a whole, once per process.
public enum LlamaBackend {
    /// The exact build that this process is linked with.
    public static let build: String = ASSAY_LLAMA_BUILD

    /// The number of sequences that one context can hold at most.
    public static let maxSequences = 256

    /// Starts llama.cpp and sends its log lines to `logger`: errors as warnings, the rest at debug and trace.
    ///
    /// Everything else in this module starts it by itself; calling it again only changes the logger.
    public static func start(logger: Logger) {
        LogRouter.shared.logger = logger
        self.started
    }

    /// Touching it starts llama.cpp, once.
    static let started: Void = {
        LogRouter.shared.install()
        for name in EngineEnvironment.clean() {
            LogRouter.shared.logger.warning(
                "\(name) is ignored: it changes how the engine computes or runs code, and results do not tell of it")
        }
        // Not ggml_backend_load_all(): it runs what lies in the working folder under certain names. The back ends of this
        // build are linked in, and are there by themselves.
        llama_backend_init()
    }()
}

/// What ggml, llama.cpp and cuBLAS take from the environment: code to load, other ways to round, programs to start.
///
/// It is no part of a result, so it must not change one, and nobody expects a variable to run code. Names come with every
/// version, so all are taken out but those that are known to do no harm.
enum EngineEnvironment {
    private static let prefixes = ["GGML_", "LLAMA_", "CUBLAS_", "CUBLASLT_"]
    /// Where memory lies, what a crash prints, and what is logged.
    private static let harmless: Set = [
        "CUBLAS_LOGDEST_DBG", "CUBLAS_LOGINFO_DBG", "CUBLASLT_LOG_FILE", "CUBLASLT_LOG_LEVEL", "CUBLASLT_LOG_MASK",
        "GGML_CUDA_DISABLE_GRAPHS", "GGML_CUDA_ENABLE_UNIFIED_MEMORY", "GGML_CUDA_NO_PINNED", "GGML_CUDA_P2P",
        "GGML_NO_BACKTRACE",
    ]
    private static let others: Set = ["NVIDIA_TF32_OVERRIDE"]

    /// Takes the variables out of this process's environment, and answers which were there, sorted.
    static func clean() -> [String] {
        let found = Self.names().filter(Self.isUnwanted).sorted()
        // Only what is there: an environment that others may be reading is left alone where it can be.
        for name in found { unsetenv(name) }
        return found
    }

    static func isUnwanted(_ name: String) -> Bool {
        Self.others.contains(name)
            || (Self.prefixes.contains { name.hasPrefix($0) } && !Self.harmless.contains(name))
    }

    private static func names() -> [String] {
        var names: [String] = []
        while let entry = assay_environment_entry(names.count) {
            names.append(String(String(cString: entry).prefix { $0 != "=" }))
        }
        return names
    }
}

/// Makes a call of llama.cpp, and answers with its value what it threw, if it threw.
func llamaCall<Value>(_ call: (inout cllama_failure) -> Value) -> (value: Value, failure: String?) {
    var failure = cllama_failure()
    let value = call(&failure)
    let text = withUnsafeBytes(of: &failure) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return (value, text.isEmpty ? nil : text)
}

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

/// A thread of this process.
struct ThreadID: Hashable, Sendable {
    private let value: UInt

    static var current: ThreadID {
        #if canImport(Darwin)
        ThreadID(value: UInt(bitPattern: pthread_self()))
        #else
        ThreadID(value: UInt(pthread_self()))
        #endif
    }
}
