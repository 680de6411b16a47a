internal import UVEventLoop

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

/// What the driver wrote: a line when the program starts, and how it ended.
struct DriverReport {
    /// Such as "3.11.2"; nil when the program was not started.
    private(set) var python: String?
    private(set) var verdict: Verdict?

    init(_ text: String) {
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.hasPrefix("started "), parts.count == 2 else { return }
        self.python = String(first.dropFirst("started ".count))
        self.verdict = Self.verdict(parts[1])
    }

    private static func verdict(_ text: Substring) -> Verdict? {
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let detail = parts.count == 2 ? String(parts[1]) : ""
        switch parts.first {
        case "passed": return .passed
        case "failed": return .failed(detail)
        case "timed out": return .timedOut
        case "out of memory": return .outOfMemory
        case "killed": return CInt(detail).map { .killed(signal: $0) }
        default: return nil
        }
    }
}

extension DriverReport {
    /// The verdict on a finished run.
    ///
    /// - Parameter hasExpired: The driver was stopped because it did not end in time.
    static func verdict(of result: ProcessResult, hasExpired: Bool) throws(SandboxError) -> Verdict {
        let report = DriverReport(result.standardOutput.text)
        if let verdict = report.verdict { return verdict }
        if report.python != nil {
            // Once a program runs, whatever goes wrong is its own doing: nothing else takes memory or time in there.
            return hasExpired ? .timedOut : .killed(signal: 9)
        }
        if hasExpired {
            throw SandboxError(
                .failed, "no program could be started in a sandbox within \(SandboxRun.defaultPatience)",
                hint: "the machine is overloaded: run fewer programs at a time")
        }
        let text = result.standardError.text.split(separator: "\n").suffix(4).joined(separator: " / ")
        throw SandboxError(
            .failed,
            "a sandbox ended before its program began (\(result.termination)): \(text.isEmpty ? "no message" : text)")
    }
}
