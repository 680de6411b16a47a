/// What a schedule submits: a run without its identifier.
///
/// It is stored as JSON for years: whatever is added to submissions must be optional there, or a schedule that was
/// added by an older program can't be read any more.
public struct RunTemplate: Sendable, Hashable {
    private let submission: RunSubmission

    /// The run as planned; its identifier does not matter.
    public init(_ submission: RunSubmission) {
        var submission = submission
        submission.id = RunID(unchecked: String(repeating: "0", count: RunID.length))
        self.submission = submission
    }

    public func submission(id: RunID) -> RunSubmission {
        var submission = submission
        submission.id = id
        return submission
    }

    public var project: String { submission.project }
    public var user: String { submission.user }
    public var priority: Priority { submission.priority }
    public var jobs: [JobSubmission] { submission.jobs }

    /// True when it submits the same, no matter who added it.
    func isSame(as other: RunTemplate) -> Bool {
        var own = submission
        own.user = other.user
        return own == other.submission
    }

    /// The names of the models that its jobs run on, each once.
    var modelNames: [String] { Set(jobs.map(\.model)).sorted() }
}

extension RunTemplate: Codable {
    public init(from decoder: any Decoder) throws {
        submission = try decoder.singleValueContainer().decode(RunSubmission.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(submission)
    }
}
