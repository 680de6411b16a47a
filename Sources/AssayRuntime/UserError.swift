/// What a use case says when it can't do what it was asked: an answer for people, on a terminal or a page.
public struct UserError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// It was tried.
        case failed
        /// It was asked for in a way that can't be meant.
        case usage
        /// A report's gate did not pass.
        case gateNotPassed
        /// Somebody stopped it.
        case interrupted
    }

    /// What happened, and where.
    public var message: String
    /// What to do about it.
    public var hint: String?
    public var kind: Kind

    public init(_ message: String, hint: String? = nil, kind: Kind = .failed) {
        self.message = message
        self.hint = hint
        self.kind = kind
    }

    public var description: String { self.hint.map { "\(self.message)\n  \($0)" } ?? self.message }
}
