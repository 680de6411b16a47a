/// Why a program could not be judged; never the program's own fault.
public struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// This machine can't confine programs as it stands.
        case unavailable
        /// The limits can't be used.
        case limits
        /// A sandbox that worked before did not this time; it may the next.
        case failed
        /// The task was cancelled.
        case cancelled
    }

    public let code: Code
    /// What happened and where.
    public let message: String
    /// What to do about it.
    public let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var description: String { self.hint.map { "\(self.message); \($0)" } ?? self.message }

    static let cancelled = SandboxError(.cancelled, "the program was stopped because its task was cancelled")
}
