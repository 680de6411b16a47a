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

    public init(
        limit: Int = 1, run: RunID? = nil, above: Priority? = nil, isPrefetch: Bool = false, excluding: [JobID] = []
    ) {
        self.limit = limit
        self.run = run
        self.above = above
        self.isPrefetch = isPrefetch
        self.excluding = excluding
    }
}
