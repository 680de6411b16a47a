/// One shard: its job, and its place in the job from 0.
public struct ShardKey: Sendable, Hashable, Encodable {
    public let job: JobID
    public let index: Int

    public init(job: JobID, index: Int) {
        self.job = job
        self.index = index
    }
}

extension ShardKey: Comparable {
    public static func < (left: ShardKey, right: ShardKey) -> Bool {
        (left.job.number, left.index) < (right.job.number, right.index)
    }
}

extension ShardKey: CustomStringConvertible {
    public var description: String { "\(job.name)/\(index)" }
}
