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
    /// No shards that need one of these models, by their SHA-256.
    public var without: [String]

    public init(
        limit: Int = 1, run: RunID? = nil, above: Priority? = nil, isPrefetch: Bool = false, excluding: [JobID] = [],
        without: [String] = []
    ) {
        self.limit = limit
        self.run = run
        self.above = above
        self.isPrefetch = isPrefetch
        self.excluding = excluding
        self.without = without
    }

    func excludes(_ job: JobID, _ modelSHA256: String) -> Bool {
        excluding.contains(job) || without.contains(modelSHA256)
    }
}
