public import ArgumentParser
internal import Glibc
internal import Postgres
internal import ResultStore

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
        } catch let failure as CommandFailure {
            self.end(failure)
        } catch {
            self.end(error, root)
        }
    }

    private static func end(_ failure: CommandFailure) -> Never {
        self.say(failure)
        exit(failure.exitCode.rawValue)
    }

    /// Ends the process although a thread of it hangs, for which exit() would wait.
    public static func endAtOnce(_ failure: CommandFailure) -> Never {
        self.say(failure)
        _exit(failure.exitCode.rawValue)
    }

    private static func say(_ failure: CommandFailure) {
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
            CommandFailure(
                "\(error)", hint: job.map { "`assay results repair \($0)` has what is lost or damaged computed again" })
        )
    }
}
