/// A template that can't be parsed or rendered.
public struct JinjaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public enum Code: String, Sendable, Hashable {
        /// The template's text is wrong.
        case syntax
        /// Rendering failed: an undefined name, a wrong type, or a limit reached.
        case rendering
        case outOfMemory = "out-of-memory"
    }

    public var code: Code
    public var message: String
    /// The line in the template, from 1; `nil` where none can be named.
    public var line: Int?
    /// The column in that line, from 1, in Unicode code points.
    public var column: Int?

    public init(_ code: Code, _ message: String, line: Int? = nil, column: Int? = nil) {
        self.code = code
        self.message = message
        self.line = line
        self.column = column
    }

    /// The message with the place in the template.
    public var description: String {
        guard let line else { return self.message }
        guard let column else { return "line \(line) of the template: \(self.message)" }
        return "line \(line), column \(column) of the template: \(self.message)"
    }
}
