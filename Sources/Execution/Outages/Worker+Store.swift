internal import JobQueue
internal import Logging

extension Worker {
    /// Publishes, and tries again for a while where the store takes nothing: a full disk is no fault of the shard's, and
    /// what was computed is not to be lost to it.
    ///
    /// - Throws: What publishing threw last; `cancelled` when the worker is to end meanwhile, so that the shard is given
    ///   back.
    func publishPatiently(
        _ computed: any ComputedShard, of shard: ClaimedShard, _ tenure: Tenure, _ logger: Logger
    ) async throws(ExecutionError) -> ShardPublication {
        let (board, isWanted) = (tenure.board, self.isWanted)
        let isOurs = { @Sendable in !board.isLost && board.loss(of: shard.key) == nil }
        let end = self.clock.now + self.options.storePatience
        var backoff = Backoff.store
        while true {
            do throws(ExecutionError) {
                let publication = try await computed.publish()
                if backoff.failures > 0 { logger.notice("the store takes results again") }
                return publication
            } catch {
                guard error.code == .storeUnavailable, isOurs(), self.clock.now < end else { throw error }
                if backoff.failures == 0 {
                    logger.warning(
                        "the store takes no results; trying again for \(Int(self.options.storePatience.seconds)) s",
                        metadata: ["error": "\(error)"])
                }
                do throws(QueueError) {
                    try await self.pause(backoff.pause(), while: { isWanted() && isOurs() && self.clock.now < end })
                } catch {
                    throw ExecutionError(.cancelled, error.message)
                }
                guard isWanted() else { throw ExecutionError(.cancelled, "asked to end while the store takes nothing") }
            }
        }
    }
}
