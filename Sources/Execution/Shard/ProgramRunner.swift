public import Evaluation
public import Sandbox

/// Runs programs that models write, where they can do no harm.
public protocol ProgramRunner: Sendable {
    /// What runs them, with its version; verdicts may depend on it.
    var name: String { get }

    /// One verdict for each program, in order.
    func run(_ programs: [String]) async throws(ExecutionError) -> [ProgramVerdict]
}

/// Python programs in a sandbox.
public struct SandboxedPrograms: ProgramRunner {
    private let sandbox: Sandbox
    private let width: Int

    /// - Parameter width: How many run at the same time.
    public init(_ sandbox: Sandbox, width: Int) {
        self.sandbox = sandbox
        self.width = width
    }

    public var name: String { "Python \(self.sandbox.pythonVersion)" }

    public func run(_ programs: [String]) async throws(ExecutionError) -> [ProgramVerdict] {
        do {
            return try await self.sandbox.run(programs: programs, atMost: self.width).map(ProgramVerdict.init)
        } catch {
            throw ExecutionError(error.code == .cancelled ? .cancelled : .transient, "\(error)")
        }
    }
}

extension ProgramVerdict {
    fileprivate init(_ verdict: Verdict) {
        switch verdict {
        case .passed: self = .passed
        case .failed(let reason): self = .failed(reason.split(whereSeparator: \.isNewline).joined(separator: "; "))
        default: self = .failed("\(verdict)")
        }
    }
}
