public import LMEval
public import Sandbox
public import WorkerLogic

/// Runs programs that models write, where they can do no harm.
public protocol ProgramRunner: Sendable {
    /// What runs them, with its version; verdicts may depend on it.
    var name: String { get }

    /// One verdict for each program, in order.
    ///
    /// - Parameter sign: Called after each program; from any thread.
    func run(
        _ programs: [String], sign: @escaping @Sendable () -> Void
    ) async throws(ExecutionError) -> [ProgramVerdict]
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

    public func run(
        _ programs: [String], sign: @escaping @Sendable () -> Void
    ) async throws(ExecutionError) -> [ProgramVerdict] {
        do {
            var verdicts = try await self.sandbox.run(programs: programs, atMost: self.width, sign: sign)
            // Where the machine's memory runs out sandboxes die first; alone, a program that dies did it itself.
            for index in verdicts.indices where verdicts[index] == .killed(signal: 9) {
                verdicts[index] = try await self.sandbox.run(programs[index])
                sign()
            }
            return verdicts.map(ProgramVerdict.init)
        } catch {
            throw ExecutionError(error.code == .cancelled ? .cancelled : .transient, "\(error)")
        }
    }
}

extension ProgramVerdict {
    fileprivate init(_ verdict: Verdict) {
        switch verdict {
        case .passed: self = .passed
        case .failed(let reason):
            // Addresses in memory would make the same result another one each time.
            let lasting = reason.replacing(/0x[0-9a-f]{4,}/, with: "0x…")
            self = .failed(lasting.split(whereSeparator: \.isNewline).joined(separator: "; "))
        default: self = .failed("\(verdict)")
        }
    }
}

/// A shard's verdicts, once they are there.
actor KeptVerdicts {
    private var verdicts: [[ProgramVerdict]]?

    func value(
        _ make: @Sendable () async throws(ExecutionError) -> [[ProgramVerdict]]
    ) async throws(ExecutionError) -> [[ProgramVerdict]] {
        if let verdicts { return verdicts }
        let made = try await make()
        self.verdicts = made
        return made
    }
}
