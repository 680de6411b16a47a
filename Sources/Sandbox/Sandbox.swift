internal import UVEventLoop

/// Runs Python programs that nobody has read: without network, files, other processes or much of anything.
///
/// A program is executed as code_eval does it: its text with empty globals (so `__name__` is not "__main__"), its
/// output dropped, nothing to read. It sees the standard library alone, and a folder of its own that is empty at first.
/// Everything that it starts is gone before its verdict is there. A program that sets out to can write its own verdict, as
/// with code_eval; what it can't do is reach anything else.
public struct Sandbox: Sendable {
    public let limits: SandboxLimits
    /// Such as "3.11.2"; another version may judge some programs otherwise.
    public let pythonVersion: String
    let jail: Jail
    private let loop: EventLoop

    init(limits: SandboxLimits, pythonVersion: String, jail: Jail, loop: EventLoop) {
        self.limits = limits
        self.pythonVersion = pythonVersion
        self.jail = jail
        self.loop = loop
    }

    /// Runs a program to its end.
    ///
    /// When the task is cancelled, the program is killed, and `.cancelled` thrown once it is gone.
    public func run(_ program: String) async throws(SandboxError) -> Verdict {
        let run = SandboxRun(jail: self.jail, limits: self.limits, loop: self.loop)
        let (result, hasExpired) = try await run.result(of: program)
        return try DriverReport.verdict(of: result, hasExpired: hasExpired)
    }

    /// Runs several programs, at most `width` at a time; the verdicts are in the programs' order.
    ///
    /// - Parameter sign: Called after each program.
    public func run(
        programs: [String], atMost width: Int, sign: @escaping @Sendable () -> Void = {}
    ) async throws(SandboxError) -> [Verdict] {
        let outcome = await withTaskGroup(
            of: (Int, Result<Verdict, SandboxError>).self, returning: Result<[Verdict], SandboxError>.self
        ) { group in
            var waiting = programs.enumerated().makeIterator()
            func startNext() {
                guard let (index, program) = waiting.next() else { return }
                group.addTask {
                    do throws(SandboxError) {
                        return (index, .success(try await self.run(program)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<max(1, width) { startNext() }
            var verdicts: [Int: Verdict] = [:]
            for await (index, result) in group {
                switch result {
                case .success(let verdict):
                    verdicts[index] = verdict
                    sign()
                case .failure(let error):
                    group.cancelAll()
                    await group.waitForAll()
                    return .failure(error)
                }
                startNext()
            }
            return .success(programs.indices.compactMap { verdicts[$0] })
        }
        return try outcome.get()
    }
}
