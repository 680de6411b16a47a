/// How a child process ended.
public enum ProcessTermination: Hashable, Sendable, CustomStringConvertible {
    case exited(status: Int)
    case signalled(CInt)

    public var isSuccess: Bool { self == .exited(status: 0) }

    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let number): "killed by signal \(number)"
        }
    }
}

/// What a captured stream of a child process held.
public struct CapturedOutput: Hashable, Sendable {
    /// The end of the output, at most as long as the limit that was set.
    public var bytes: [UInt8] = []
    /// Earlier output was dropped.
    public var isTruncated = false

    /// The bytes as text, with U+FFFD where they are not UTF-8.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }

    mutating func append(_ new: UnsafeRawBufferPointer, limit: Int) {
        self.bytes.append(contentsOf: new)
        // Trimmed at twice the limit, so that each byte is moved at most once on average.
        if self.bytes.count > 2 * limit { self.trim(to: limit) }
    }

    mutating func trim(to limit: Int) {
        guard self.bytes.count > limit else { return }
        self.bytes.removeFirst(self.bytes.count - limit)
        self.isTruncated = true
    }
}

/// A finished child process.
public struct ProcessResult: Hashable, Sendable {
    public var termination: ProcessTermination
    /// Empty unless captured.
    public var standardOutput: CapturedOutput
    /// Empty unless captured.
    public var standardError: CapturedOutput
}
