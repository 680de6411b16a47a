/// The exit codes of every command.
public enum ExitStatus: Int32, Sendable {
    case ok = 0
    case failed = 1
    case usage = 2
    case gateNotPassed = 3
    /// 128 + SIGINT, as a shell reports it.
    case interrupted = 130
}

/// What a command says when it can't do what it was asked.
public struct CommandFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, and where.
    public var message: String
    /// What to do about it.
    public var hint: String?
    public var exitCode: ExitStatus

    public init(_ message: String, hint: String? = nil, exitCode: ExitStatus = .failed) {
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }

    public var description: String {
        self.hint.map { "\(self.message)\n  \($0)" } ?? self.message
    }
}
