/// What a worker asks for.
public struct ClaimRequest: Sendable, Hashable {
    /// So many shards at most, all of one job.
    public var limit: Int
    /// Only shards of this run; nil for any.
    public var run: RunID?
    /// Only shards of a higher tier than this; nil for any.
    public var above: Priority?
    /// The shards are fetched ahead of their computation; ``WorkQueue/begin(_:)`` says when that begins.
    public var isPrefetch: Bool
    /// No shards of these jobs, which the worker can't work on for now.
    public var excluding: [JobID]
    /// No shards that need one of these models.
    public var without: [MissingModel]

    public init(
        limit: Int = 1, run: RunID? = nil, above: Priority? = nil, isPrefetch: Bool = false, excluding: [JobID] = [],
        without: [MissingModel] = []
    ) {
        self.limit = limit
        self.run = run
        self.above = above
        self.isPrefetch = isPrefetch
        self.excluding = excluding
        self.without = without
    }

    func excludes(_ job: JobID, model: String, sha256: String) -> Bool {
        excluding.contains(job) || without.contains(.inRun(job.run, model)) || without.contains(.anywhere(sha256))
    }
}

/// A model that a worker's node does not have.
public enum MissingModel: Sendable, Hashable {
    /// Wherever runs look for it, by its SHA-256.
    case anywhere(String)
    /// Where a run looks for it, by its name in that run: others may have it registered in another place.
    case inRun(RunID, String)

    /// As claim_shards() reads it.
    var text: String {
        switch self {
        case .anywhere(let sha256): sha256
        case .inRun(let run, let name): "\(run.text):\(name)"
        }
    }
}
