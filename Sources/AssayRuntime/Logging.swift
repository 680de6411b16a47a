internal import FoundationEssentials
internal import Glibc
public import Logging
internal import TerminalText

/// Log lines on standard error, as text for people or as one JSON object a line for machines.
public struct AssayLogHandler: LogHandler {
    public enum Format: String, Sendable { case text, json }

    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Format

    public init(label: String, level: Logger.Level, format: Format) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let merged = self.metadata.merging(event.metadata ?? [:]) { $1 }
        // In one piece, as far as the system writes it so; a log that nobody reads any more ends nothing.
        let bytes = Array(self.line(event.level, "\(event.message)", merged).description.utf8)
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    private func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> PrintedText {
        let time = Date.now.formatted(.iso8601)
        switch self.format {
        case .text:
            let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            return "\(time) \(level.rawValue) \(self.label): \(message)\(pairs)\n"
        case .json:
            var fields = metadata.mapValues { "\($0)" }
            fields["time"] = time
            fields["level"] = level.rawValue
            fields["logger"] = self.label
            fields["message"] = message
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(fields) else { return "{\"message\":\"unprintable\"}\n" }
            return "\(lines: PrintedText.escapedJSON(String(decoding: data, as: UTF8.self)))\n"
        }
    }
}
