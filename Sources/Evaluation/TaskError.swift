/// A task file, a data set or a sample that can't be used, with the place and the remedy.
public struct TaskError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing is wrong.
    public enum Code: String, Sendable, Hashable {
        case unreadableFile = "unreadable-file"
        case invalidYAML = "invalid-yaml"
        case unknownKey = "unknown-key"
        case missingKey = "missing-key"
        case invalidValue = "invalid-value"
        case unsupported
        case limitExceeded = "limit-exceeded"
        case invalidTemplate = "invalid-template"
        case invalidData = "invalid-data"
        case invalidSample = "invalid-sample"
        case invalidResponse = "invalid-response"
    }

    public var code: Code
    /// What happened and what would be right.
    public var message: String
    /// The file as it was named by the caller; empty if there is none.
    public var file: String
    /// From 1; `nil` where no line can be named.
    public var line: Int?
    /// From 1; `nil` where no column can be named.
    public var column: Int?

    public init(_ code: Code, _ message: String, file: String = "", line: Int? = nil, column: Int? = nil) {
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.column = column
    }

    /// The message with "file:line:column: " before it.
    public var description: String {
        var place = self.file
        for number in [self.line, self.column] {
            if let number { place += place.isEmpty ? "line \(number)" : ":\(number)" }
        }
        return place.isEmpty ? self.message : "\(place): \(self.message)"
    }
}
