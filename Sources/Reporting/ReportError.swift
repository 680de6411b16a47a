/// Why a report was not built, read or verified.
public struct ReportError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The report's name is not one.
        case invalidName
        /// The run cannot be reported on: a job is not done, or its results do not fit together.
        case notReportable
        /// There is no such report or version.
        case notFound
        /// A file of a version is missing, changed or foreign.
        case damaged
        /// The file system refused.
        case fileSystem
        /// The text is not what it should be.
        case malformed
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
