public import JobQueue
public import WorkerLogic

/// Turns claimed shards into published files, in three steps: while one shard is computed, the next one can be prepared
/// and the last one published.
public protocol ShardProcessor: Sendable {
    /// Reads and checks all that the shard needs; uses no device.
    func prepare(_ shard: ClaimedShard) async throws(ExecutionError) -> any PreparedShard
}

/// A shard that can be computed at once.
public protocol PreparedShard: Sendable {
    /// Computes the shard, alone on the device.
    ///
    /// - Parameter progress: Told samples and tokens done so far, also when only time-consuming preparations have moved
    ///   on: a shard without any sign for long counts as hanging. May be called from any thread.
    func compute(
        progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> any ComputedShard
}

/// A shard whose answers are there.
public protocol ComputedShard: Sendable {
    /// Scores and writes them; the result counts only once it is committed.
    ///
    /// A file that never gets committed is named by no row, and the collector of garbage removes it.
    ///
    /// - Parameter sign: Called whenever something has moved; may be called from any thread.
    func publish(sign: @escaping @Sendable () -> Void) async throws(ExecutionError) -> ShardPublication
}
