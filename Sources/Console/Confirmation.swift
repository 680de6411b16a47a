internal import Glibc
internal import Threads

/// A question that stands before what can't be undone.
public enum Confirmation {
    /// Asks on a terminal, unless `isGiven`; elsewhere it must be given beforehand.
    ///
    /// - Parameters:
    ///   - what: What is about to happen, as a sentence without its end: "3 results are removed".
    ///   - isGiven: By --yes.
    public static func obtain(_ what: String, isGiven: Bool) async throws(CommandFailure) {
        guard !isGiven else { return }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw CommandFailure(what, hint: "if that is meant, repeat the command with --yes", exitCode: .usage)
        }
        Output.note("\(what).")
        Output.write("Go on? [y/N] ", to: STDERR_FILENO)
        // Reading waits for a person, which the cooperative pool must not.
        let answer = await onOwnThread { readLine() ?? "" }
        guard ["y", "yes"].contains(answer.lowercased()) else { throw CommandFailure("nothing was changed") }
    }
}
