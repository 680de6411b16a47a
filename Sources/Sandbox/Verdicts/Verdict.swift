/// How a program ended.
public enum Verdict: Hashable, Sendable {
    /// It ran to its last line without an exception.
    case passed
    /// An exception ended it, or it ended itself early; with the lines of the program where that happened.
    case failed(String)
    /// It used up its processor time or its time.
    case timedOut
    /// An allocation failed at the limit.
    case outOfMemory
    case killed(signal: CInt)

    public var isPass: Bool { self == .passed }
}

extension Verdict: CustomStringConvertible {
    public var description: String {
        switch self {
        case .passed: "passed"
        case .failed(let reason): "failed: \(reason)"
        case .timedOut: "timed out"
        case .outOfMemory: "out of memory"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }
}
