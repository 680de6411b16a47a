/// Why a job file can't become jobs.
public struct PlanningError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The job file can't be read, or something in it is wrong.
        case jobFile
        /// A task that it names is wrong.
        case task
        /// The rows of a task are wrong or missing.
        case dataSet
        /// The model is unknown, or does not fit.
        case model
        /// The queue or the store did not answer.
        case unavailable
    }

    public var code: Code
    /// The file, line and key, as far as known: "jobs/demo.yaml:4: settings.logits".
    public var place: String
    /// What was found and what would be right.
    public var message: String

    public init(_ code: Code, at place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    public var description: String { "\(self.place): \(self.message)" }
}
