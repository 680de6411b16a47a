public import JobQueue

/// Turns a claimed shard into a published file; what a worker does between claim and commit.
public protocol ShardProcessor: Sendable {
    /// Computes and publishes the shard; the result counts only once it is committed.
    ///
    /// A file that never gets committed is named by no row, and the collector of garbage removes it.
    /// - Parameter progress: Told samples and tokens done so far; may be called from any thread.
    func process(
        _ shard: ClaimedShard, progress: @escaping @Sendable (_ samples: Int, _ tokens: Int) -> Void
    ) async throws(ExecutionError) -> ShardPublication
}
