/// A claim by what a result file's path says of it; the queue may never have heard of it.
public struct ClaimReference: Sendable, Hashable {
    public var run: RunID
    /// The job's place in its run.
    public var ordinal: Int
    /// The shard's place in its job.
    public var shard: Int
    public var epoch: Epoch
    public var incarnation: Incarnation

    public init(run: RunID, ordinal: Int, shard: Int, epoch: Epoch, incarnation: Incarnation) {
        self.run = run
        self.ordinal = ordinal
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
    }

    /// A claim of the job of this name; `nil` if no job of a queue can have the name, or the numbers.
    public init?(jobName: String, shard: Int, epoch: Int, incarnation: Incarnation) {
        guard let name = try? JobName(jobName), let run = try? RunID(name.run), storableCount.contains(shard),
            storableCount.contains(epoch), "\(run).\(name.ordinal)" == jobName
        else { return nil }
        self.init(run: run, ordinal: name.ordinal, shard: shard, epoch: Epoch(epoch), incarnation: incarnation)
    }
}
