/// The outcome of a program that a model wrote.
public enum ProgramVerdict: Sendable, Hashable {
    /// It ended by itself, without an error.
    case passed
    /// In a word or line: what it ended with, or the limit it ran into.
    case failed(String)

    var isPassed: Bool { self == .passed }

    /// A line.
    var summary: String {
        switch self {
        case .passed: "passed"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}
