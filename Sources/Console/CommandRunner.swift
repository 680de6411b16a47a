public import ArgumentParser
public import AssayRuntime
internal import Glibc
internal import Postgres
internal import ResultStore
internal import TerminalText

/// Runs a command line and ends the process with Assay's exit codes.
public enum CommandRunner {
    public static func main(_ root: any AsyncParsableCommand.Type) async -> Never {
        // A reader that goes away must not kill a worker in the middle of a commit.
        signal(SIGPIPE, SIG_IGN)
        // While there are no other threads that could read the environment.
        _ = LibpqEnvironment.inherited
        do {
            var command = try root.parseAsRoot(nil)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(ExitStatus.ok.rawValue)
        } catch let failure as UserError {
            self.end(failure)
        } catch {
            self.end(error, root)
        }
    }

    private static func end(_ failure: UserError) -> Never {
        self.say(failure)
        exit(failure.exitStatus.rawValue)
    }

    /// Ends the process although a thread of it hangs, for which exit() would wait.
    public static func endAtOnce(_ failure: UserError) -> Never {
        self.say(failure)
        _exit(failure.exitStatus.rawValue)
    }

    private static func say(_ failure: UserError) {
        let terminal = Terminal.standardError(environment: [:])
        Output.note("\(terminal.styled("error:", .red)) \(lines: failure.message)")
        if let hint = failure.hint { Output.note("  \(lines: hint)") }
    }

    private static func end(_ error: any Error, _ root: any AsyncParsableCommand.Type) -> Never {
        let code = root.exitCode(for: error)
        if code == .success {
            Output.line(PrintedText(lines: root.fullMessage(for: error)))
            exit(ExitStatus.ok.rawValue)
        }
        if code == .validationFailure {
            Output.note(PrintedText(lines: root.fullMessage(for: error)))
            exit(ExitStatus.usage.rawValue)
        }
        if let code = error as? ArgumentParser.ExitCode { exit(code.rawValue) }
        let job = (error as? StoreError)?.damagedJob
        self.end(
            UserError(
                "\(error)", hint: job.map { "`assay results repair \($0)` has what is lost or damaged computed again" })
        )
    }
}

/// The exit codes of every command.
public enum ExitStatus: Int32, Sendable {
    case ok = 0
    case failed = 1
    case usage = 2
    case gateNotPassed = 3
    /// 128 + SIGINT, as a shell reports it.
    case interrupted = 130
}

extension UserError {
    /// How a command ends that says this.
    public var exitStatus: ExitStatus {
        switch self.kind {
        case .failed: .failed
        case .usage: .usage
        case .gateNotPassed: .gateNotPassed
        case .interrupted: .interrupted
        }
    }
}
