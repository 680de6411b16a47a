internal import CLlama
public import Logging

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
