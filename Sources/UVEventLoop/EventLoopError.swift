internal import CUV

/// Why the event loop could not do what it was asked for.
public struct EventLoopError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: Hashable, Sendable {
        /// The loop was shut down before or during the operation.
        case shutDown
        /// The operation's time was over.
        case timedOut
        /// The operating system refused; see ``EventLoopError/systemError``.
        case system
    }

    public let code: Code
    /// What was tried, such as "spawn /usr/bin/initdb".
    public let operation: String
    /// The errno value of a `.system` error.
    public let systemError: CInt?

    init(_ code: Code, _ operation: String, systemError: CInt? = nil) {
        self.code = code
        self.operation = operation
        self.systemError = systemError
    }

    public var description: String {
        switch self.code {
        case .shutDown: "\(self.operation): the event loop was shut down"
        case .timedOut: "\(self.operation): timed out"
        case .system:
            "\(self.operation): \(String(cString: uv_strerror(-(self.systemError ?? 0)))) "
                + "(\(String(cString: uv_err_name(-(self.systemError ?? 0)))))"
        }
    }
}

/// Turns libuv's negative return codes into errors.
func check(_ status: CInt, _ operation: @autoclosure () -> String) throws(EventLoopError) {
    guard status < 0 else { return }
    throw EventLoopError(.system, operation(), systemError: -status)
}
