public import AssayRuntime
internal import FoundationEssentials
internal import Glibc
public import TerminalText
internal import Threads

/// Writes to the standard streams what is safe on a terminal; a closed pipe ends the process quietly, as users of `head`
/// expect.
public enum Output {
    public static func line(_ text: PrintedText = "") { self.write(text + "\n", to: STDOUT_FILENO) }

    public static func note(_ text: PrintedText) { self.write(text + "\n", to: STDERR_FILENO) }

    static func write(_ text: PrintedText, to descriptor: CInt) {
        var bytes = Array(text.description.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                exit(errno == EPIPE ? ExitStatus.ok.rawValue : ExitStatus.failed.rawValue)
            }
            bytes = bytes.dropFirst(written)
        }
    }

    /// One JSON document with sorted keys and a final newline.
    public static func json(_ value: some Encodable) throws(UserError) {
        self.line(PrintedText(lines: PrintedText.escapedJSON(try self.jsonText(value))))
    }

    public static func jsonText(_ value: some Encodable) throws(UserError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw UserError("the answer can't be written as JSON: \(error)", hint: "leave out --json")
        }
    }
}

/// A question that stands before what can't be undone.
public enum Confirmation {
    /// Asks on a terminal, unless `isGiven`; elsewhere it must be given beforehand.
    ///
    /// - Parameters:
    ///   - what: What is about to happen, as a sentence without its end: "3 results are removed".
    ///   - isGiven: By --yes.
    public static func obtain(_ what: String, isGiven: Bool) async throws(UserError) {
        guard !isGiven else { return }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw UserError(what, hint: "if that is meant, repeat the command with --yes", kind: .usage)
        }
        Output.note("\(what).")
        Output.write("Go on? [y/N] ", to: STDERR_FILENO)
        // Reading waits for a person, which the cooperative pool must not.
        let answer = await onOwnThread { readLine() ?? "" }
        guard ["y", "yes"].contains(answer.lowercased()) else { throw UserError("nothing was changed") }
    }
}
