internal import FoundationEssentials
internal import Glibc

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
    public static func json(_ value: some Encodable) throws(CommandFailure) {
        self.line(PrintedText(lines: PrintedText.escapedJSON(try self.jsonText(value))))
    }

    public static func jsonText(_ value: some Encodable) throws(CommandFailure) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw CommandFailure("the answer can't be written as JSON: \(error)", hint: "leave out --json")
        }
    }
}
