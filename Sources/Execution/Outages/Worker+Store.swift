internal import JobQueue
internal import Logging

extension Worker {
    /// Publishes, and tries again for a while where the store takes nothing: a full disk is no fault of the shard's, and
    /// what was computed is not to be lost to it.
    ///
    /// - Throws: What publishing threw last; `nodeFault` when the store was away until its patience ended, since that may
    ///   be so on this node alone; `cancelled` when the worker is to end meanwhile, so that the shard is given
    ///   back.
    func publishPatiently(
        _ computed: any ComputedShard, of shard: ClaimedShard, _ tenure: Tenure, _ logger: Logger
    ) async throws(ExecutionError) -> ShardPublication {
        let board = tenure.board
        board.enter(.publishing, shard)
        do {
            return try await self.patientlyWithStore(
                "takes no results", "takes results again", of: shard, board, logger
            ) { () async throws(ExecutionError) in
                try await computed.publish { board.sign(of: shard) }
            }
        } catch {
            throw error.code == .storeUnavailable ? ExecutionError(.nodeFault, error.message) : error
        }
    }

    /// Prepares a shard, and waits where the store can't be read: every node may be without it, so it is no fault of the
    /// shard's, nor a reason to send workers home at once.
    ///
    /// - Throws: `nodeFault` when the store's patience has ended.
    func preparePatiently(
        _ shard: ClaimedShard, _ tenure: Tenure
    ) async throws(ExecutionError) -> any PreparedShard {
        let (processor, board) = (self.processor, tenure.board)
        do {
            return try await self.patientlyWithStore(
                "can't be read", "can be read again", of: shard, board, tenure.logger(for: shard)
            ) { () async throws(ExecutionError) in
                try await processor.prepare(shard)
            }
        } catch {
            throw error.isOfStore ? ExecutionError(.nodeFault, error.message) : error
        }
    }

    /// Repeats what the store is needed for until it works, the store's patience ends, or the shard is another's.
    private func patientlyWithStore<Value: Sendable>(
        _ trouble: String, _ relief: String, of shard: ClaimedShard, _ board: LeaseBoard, _ logger: Logger,
        _ body: () async throws(ExecutionError) -> Value
    ) async throws(ExecutionError) -> Value {
        let isWanted = self.isWanted
        let isOurs = { @Sendable in board.loss(of: shard) == nil }
        defer { board.note(nil, for: shard) }
        let end = self.clock.now + self.options.storePatience
        var backoff = Backoff.store
        while true {
            do throws(ExecutionError) {
                let value = try await body()
                if backoff.failures > 0 { logger.notice("the store \(relief)") }
                return value
            } catch {
                guard error.isOfStore, isOurs(), self.clock.now < end else { throw error }
                // It answers, even if it is with an error.
                board.sign(of: shard)
                board.note("the store \(trouble): \(error)", for: shard)
                if backoff.failures == 0 {
                    logger.warning(
                        "the store \(trouble); trying again for \(Int(self.options.storePatience.seconds)) s",
                        metadata: ["error": "\(error)"])
                }
                do throws(QueueError) {
                    try await self.pause(backoff.pause(), while: { isWanted() && isOurs() && self.clock.now < end })
                } catch {
                    throw ExecutionError(.cancelled, error.message)
                }
                guard isWanted() else { throw ExecutionError(.cancelled, "asked to end while the store \(trouble)") }
            }
        }
    }
}

extension ExecutionError {
    /// Waiting may help: the store is full or away.
    fileprivate var isOfStore: Bool { self.code == .storeUnavailable || self.code == .storeFull }
}
